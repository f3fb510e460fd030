// The window as a whole: which place is open, the numbers, messages and questions; it hands changes to the rooms.
import { getContext, setContext } from "svelte";

import { toIpcError, type Backend, type DropEvent } from "../backend/types";
import type { Added } from "../bindings/Added";
import type { AppInfo } from "../bindings/AppInfo";
import type { CallbackProfileView } from "../bindings/CallbackProfileView";
import type { Changes } from "../bindings/Changes";
import type { Counts } from "../bindings/Counts";
import type { Problem } from "../bindings/Problem";
import { number } from "../shared/format";
import type { Question } from "../shared/Confirm.svelte";
import type { ToastMessage } from "../shared/Toast.svelte";
import { t, tn } from "../i18n/index.svelte";
import { CallbacksState } from "./callbacks.svelte";
import { DestinationsState } from "./destinations.svelte";
import { DetailsState } from "./details.svelte";
import { FoldersState } from "./folders.svelte";
import { LabState } from "./lab.svelte";
import { UploadsState } from "./uploads.svelte";

export type Place = "transfers" | "history" | "folders" | "callbacks" | "destinations" | "settings";

const NO_COUNTS: Counts = {
  all: 0, uploading: 0, waiting: 0, paused: 0, stored: 0, failed: 0, callbackFailed: 0, callingAgain: 0, calledAgain: 0, bytesLeft: 0,
};
const MOST_TOASTS = 3;
const LISTED_REFUSALS = 8;

export class AppState {
  place = $state<Place>("transfers");
  info = $state.raw<AppInfo | null>(null);
  counts = $state.raw<Counts>(NO_COUNTS);
  bytesPerSecond = $state(0);
  scanning = $state(false);
  /** To add to this computer's clock to get the server's; zero when it is right. */
  clockSkewSeconds = $state(0);
  /** Why nothing can be saved at the moment. */
  storeProblem = $state.raw<Problem | null>(null);
  /** How many things hover over the window; null when none. */
  hovering = $state<number | null>(null);
  toasts = $state.raw<readonly ToastMessage[]>([]);
  question = $state.raw<Question | null>(null);
  /** The callback profile that what is added next asks for; null: the destination's callback. */
  dropProfileId = $state<string | null>(null);

  readonly lists: { transfers: UploadsState; history: UploadsState; callbacks: UploadsState };
  readonly details: DetailsState;
  readonly destinations: DestinationsState;
  readonly folders: FoldersState;
  readonly callbacks: CallbacksState;
  readonly lab: LabState;

  #lastToast = 0;
  #heard = false;

  constructor(readonly backend: Backend) {
    const onError = (thrown: unknown) => this.fail(thrown);
    this.lists = {
      transfers: new UploadsState(backend, "transfers", onError),
      history: new UploadsState(backend, "history", onError),
      callbacks: new UploadsState(backend, "history", onError, "callbackFailed"),
    };
    this.details = new DetailsState(backend, onError);
    this.destinations = new DestinationsState(backend, onError);
    this.folders = new FoldersState(backend, onError);
    this.lab = new LabState(backend, onError);
    this.callbacks = new CallbacksState(backend, onError, (name) =>
      this.ask({
        title: t("cb.discard.title", { name: name || t("cb.unnamed") }),
        text: t("cb.discard.text"),
        yes: t("cb.discard.yes"),
        no: t("cb.discard.no"),
      }),
    );
  }

  /** A profile that was deleted meanwhile is asked for no more. */
  get dropProfile(): CallbackProfileView | null {
    return this.callbacks.all.find(({ id }) => id === this.dropProfileId) ?? null;
  }

  /** The list of the open place, if it has one. */
  get list(): UploadsState | null {
    return this.place === "transfers" || this.place === "history" || this.place === "callbacks"
      ? this.lists[this.place]
      : null;
  }

  /** Listens first and asks then, so that nothing falls between. Returns how to stop. */
  async start(): Promise<() => void> {
    const stops = await Promise.all([
      this.backend.onChanges((changes) => this.apply(changes)),
      this.backend.onDrop((event) => this.dropped(event)),
    ]);
    await Promise.all([
      this.lists.transfers.open(),
      this.destinations.load(),
      this.folders.load(),
      this.callbacks.load(),
      this.run(async () => {
        const counts = await this.backend.counts();
        if (!this.#heard) this.counts = counts;
        this.info = await this.backend.appInfo();
      }),
    ]);
    return () => stops.forEach((stop) => stop());
  }

  goTo(place: Place): void {
    if (place === this.place) return;
    if (this.place === "destinations") this.destinations.leave();
    this.details.close();
    this.place = place;
    void this.list?.open();
  }

  apply(changes: Changes): void {
    this.#heard = true;
    this.counts = changes.counts;
    this.bytesPerSecond = changes.bytesPerSecond;
    this.scanning = changes.scanning;
    this.clockSkewSeconds = changes.clockSkewSeconds;
    this.storeProblem = changes.storeProblem;
    this.list?.apply(changes);
    this.details.apply(changes);
    if (changes.destinations) {
      void this.destinations.load();
      void this.callbacks.load();
    }
    if (changes.folders) void this.folders.load();
    if (changes.lab) void this.lab.refresh();
  }

  dropped(event: DropEvent): void {
    if (event.kind === "enter") this.hovering = event.paths.length;
    if (event.kind === "leave" || event.kind === "drop") this.hovering = null;
    if (event.kind === "drop" && event.paths.length > 0) void this.addPaths(event.paths);
  }

  async addFiles(): Promise<void> {
    await this.run(async () => this.#add(await this.backend.pickFiles()));
  }

  async addFolder(): Promise<void> {
    await this.run(async () => {
      const folder = await this.backend.pickFolder();
      if (folder !== null) await this.#add([folder]);
    });
  }

  addPaths(paths: string[]): Promise<void> {
    return this.run(() => this.#add(paths));
  }

  /** Does something that may be refused; a refusal becomes a message. */
  async run(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  fail(thrown: unknown): void {
    const error = toIpcError(thrown);
    const lines = [t(`code.${error.code}.safe`), t(`code.${error.code}.next`), error.message];
    if (error.requestId) lines.push(t("toast.requestId", { id: error.requestId }));
    this.say("bad", t(`code.${error.code}.what`), lines);
  }

  say(tone: ToastMessage["tone"], title: string, lines: string[] = []): void {
    const same = (toast: ToastMessage) => toast.title === title && toast.lines.join() === lines.join();
    const others = this.toasts.filter((toast) => !same(toast));
    this.toasts = [...others, { id: ++this.#lastToast, tone, title, lines }].slice(-MOST_TOASTS);
  }

  unsay(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  ask(words: Omit<Question, "answer">): Promise<boolean> {
    return new Promise((resolve) => {
      const answer = (yes: boolean) => {
        this.question = null;
        resolve(yes);
      };
      this.question = { ...words, answer };
    });
  }

  async #add(paths: string[]): Promise<void> {
    if (paths.length === 0) return;
    const added = await this.backend.addPaths(paths, null, this.dropProfile?.id ?? null);
    if (added.queued > 0) this.say("info", tn("added.queued", added.queued));
    if (added.refusedCount > 0) this.say("bad", tn("added.refused", added.refusedCount), refusals(added));
  }
}

function refusals(added: Added): string[] {
  const lines = added.refused
    .slice(0, LISTED_REFUSALS)
    .map(({ path, problem }) => `${path}: ${t(`code.${problem.code}.what`)} (${problem.message})`);
  const more = added.refusedCount - lines.length;
  return more > 0 ? [...lines, t("added.more", { n: number(more) })] : lines;
}

const APP = Symbol("app");

/** For tests, which hand a component its context as a map. */
export function appContext(app: AppState): Map<symbol, AppState> {
  return new Map([[APP, app]]);
}

export function provideApp(app: AppState): void {
  setContext(APP, app);
}

export function useApp(): AppState {
  return getContext<AppState>(APP);
}
