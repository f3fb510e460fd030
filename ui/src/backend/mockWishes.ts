// What the invented world makes of wishes, and the order in which its uploads wait.
import type { UploadRow } from "../bindings/UploadRow";
import type { Wish } from "../bindings/Wish";

const STILL = { bytesPerSecond: 0, etaSeconds: null };

export function wished(row: UploadRow, wish: Wish): UploadRow {
  switch (wish) {
    case "pause":
      return { ...row, ...STILL, phase: "paused" };
    case "resume":
      return { ...row, phase: "queued" };
    case "retry":
      return { ...row, phase: "queued", problem: null, retryAtMs: null, callback: { kind: "waiting" } };
    case "cancel":
      return { ...row, ...STILL, phase: "cancelled", callback: { kind: "notSent" } };
    case "first":
    case "last":
    case "inOrder":
      return row;
  }
}

/** By priority, then by age, as in the engine. */
export class Line {
  #priorities = new Map<number, number>();

  place(rows: readonly UploadRow[], wish: Wish): void {
    if (wish !== "first" && wish !== "last" && wish !== "inOrder") return;
    const all = [0, ...this.#priorities.values()];
    const priority = { first: Math.max(...all) + 1, last: Math.min(...all) - 1, inOrder: 0 }[wish];
    rows.forEach((row) => this.#priorities.set(row.no, priority));
  }

  waiting(rows: readonly UploadRow[]): UploadRow[] {
    const priority = (row: UploadRow) => this.#priorities.get(row.no) ?? 0;
    return rows.filter((row) => row.phase === "queued").sort((a, b) => priority(b) - priority(a) || a.no - b.no);
  }
}
