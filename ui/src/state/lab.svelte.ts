// The callback lab: the receiver on this computer, how it answers, what came in.
import type { Backend } from "../backend/types";
import type { LabAnswer } from "../bindings/LabAnswer";
import type { LabView } from "../bindings/LabView";

export const USUAL_PORT = 28100;

export class LabState {
  view = $state.raw<LabView | null>(null);
  port = $state(USUAL_PORT);
  /** The answer being typed; counts when it is set. */
  answer = $state<LabAnswer>({ status: 200, contentType: "application/json", body: "", delayMs: 0 });
  selected = $state<number | null>(null);
  busy = $state(false);

  running = $derived(this.view?.url != null);
  request = $derived(this.view?.requests.find(({ no }) => no === this.selected) ?? this.view?.requests[0] ?? null);

  constructor(
    readonly backend: Backend,
    readonly onError: (thrown: unknown) => void,
  ) {}

  /** Asks what has come in. A failure is told once, not with every request. */
  async refresh(): Promise<void> {
    try {
      this.#take(await this.backend.lab());
    } catch (thrown) {
      if (this.view === null) this.onError(thrown);
    }
  }

  start = () => this.#do(async () => this.#take(await this.backend.startLab(this.port)));

  stop = () =>
    this.#do(async () => {
      await this.backend.stopLab();
      this.#take(await this.backend.lab());
    });

  setAnswer = () => this.#do(async () => this.#take(await this.backend.setLabAnswer($state.snapshot(this.answer))));

  clear = () =>
    this.#do(async () => {
      await this.backend.clearLab();
      this.#take(await this.backend.lab());
    });

  #take(view: LabView): void {
    if (this.view === null) this.answer = { ...view.answer };
    this.view = view;
  }

  async #do(act: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      await act();
    } catch (thrown) {
      this.onError(thrown);
    } finally {
      this.busy = false;
    }
  }
}
