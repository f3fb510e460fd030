// The upload that the inspector shows. Rows follow every batch of changes; the rest is asked for when it must differ.
import type { Backend } from "../backend/types";
import type { Changes } from "../bindings/Changes";
import type { UploadDetails } from "../bindings/UploadDetails";
import type { UploadRow } from "../bindings/UploadRow";

/** Parts are many; while they arrive they are asked for at most this often. */
const PARTS_EVERY_MS = 1000;

export class DetailsState {
  no = $state<number | null>(null);
  details = $state.raw<UploadDetails | null>(null);

  #asking = false;
  #askAgain = false;
  #askedMs = 0;
  /** The row as an event told it while an answer was on its way: the answer may be older. */
  #arrived: UploadRow | null = null;

  constructor(
    readonly backend: Backend,
    readonly onError: (thrown: unknown) => void,
    readonly now: () => number = Date.now,
  ) {}

  async open(no: number): Promise<void> {
    if (this.no === no && this.details) return;
    this.no = no;
    this.details = null;
    await this.refresh();
  }

  close(): void {
    this.no = null;
    this.details = null;
  }

  apply(changes: Changes): void {
    const row = changes.rows.find((changed) => changed.no === this.no);
    if (row && this.#asking) this.#arrived = row;
    if (row && this.details) {
      const before = this.details.row;
      this.details = { ...this.details, row };
      if (differsBeyondProgress(before, row)) void this.refresh();
    } else if (changes.reload && this.no !== null) {
      void this.refresh();
    }
    const open = this.details;
    if (open && storedParts(open) !== open.row.partsDone && this.now() - this.#askedMs >= PARTS_EVERY_MS) {
      void this.refresh();
    }
  }

  async refresh(): Promise<void> {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    try {
      do {
        this.#askAgain = false;
        await this.#ask();
      } while (this.#askAgain);
    } finally {
      this.#asking = false;
    }
  }

  #put(details: UploadDetails): void {
    const row = this.#arrived?.no === details.row.no ? this.#arrived : details.row;
    this.details = { ...details, row };
    if (differsBeyondProgress(details.row, row)) this.#askAgain = true;
  }

  async #ask(): Promise<void> {
    const no = this.no;
    if (no === null) return;
    this.#arrived = null;
    this.#askedMs = this.now();
    try {
      const details = await this.backend.uploadDetails(no);
      if (this.no === no) this.#put(details);
      else this.#askAgain = true;
    } catch (thrown) {
      if (this.no === no) {
        this.close();
        this.onError(thrown);
      } else {
        this.#askAgain = true;
      }
    }
  }
}

function storedParts(details: UploadDetails): number {
  return details.parts.filter((part) => part.etag !== null).length;
}

function differsBeyondProgress(a: UploadRow, b: UploadRow): boolean {
  return (
    a.phase !== b.phase ||
    a.attempts !== b.attempts ||
    a.callback.kind !== b.callback.kind ||
    a.problem?.message !== b.problem?.message ||
    a.retryAtMs !== b.retryAtMs
  );
}
