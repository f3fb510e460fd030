// Which rows a list holds, and in which order: the same rules as the store's, for rows that arrive by event.
import type { Filter } from "../bindings/Filter";
import type { Phase } from "../bindings/Phase";
import type { Scope } from "../bindings/Scope";
import type { UploadRow } from "../bindings/UploadRow";
import type { Wish } from "../bindings/Wish";

const FINAL: readonly Phase[] = ["done", "failed", "cancelled"];

export function isFinal(row: UploadRow): boolean {
  return FINAL.includes(row.phase);
}

/** Stored, but the callback failed, its answer was lost or is not as expected, and nobody has dealt with it. */
export function needsCallback(row: UploadRow): boolean {
  return row.phase === "done" && row.callbackBad;
}

function passes(row: UploadRow, filter: Filter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "uploading":
      return row.phase === "starting" || row.phase === "sending" || row.phase === "completing";
    case "waiting":
      return row.phase === "queued";
    case "paused":
      return row.phase === "paused";
    case "stored":
      return row.phase === "done";
    case "failed":
      return row.phase === "failed";
    case "callbackFailed":
      return needsCallback(row);
  }
}

export function belongs(row: UploadRow, scope: Scope, filter: Filter, search: string): boolean {
  if (scope === "history" && !isFinal(row)) return false;
  if (!passes(row, filter)) return false;
  const wanted = search.trim().toLowerCase();
  return wanted === "" || [row.path, row.key].some((text) => text.toLowerCase().includes(wanted));
}

/** Transfers: newest batch first, in order within it. History: newest first. */
export function comesBefore(a: { batch: number; no: number }, b: { batch: number; no: number }, scope: Scope): boolean {
  if (scope === "history") return a.no > b.no;
  return a.batch !== b.batch ? a.batch > b.batch : a.no < b.no;
}

const IDLE: readonly Phase[] = ["queued", "paused"];
const MOVING: readonly Phase[] = ["queued", "starting", "sending"];
const FIT: Readonly<Record<Wish, readonly Phase[]>> = {
  pause: MOVING, resume: ["paused"], retry: ["failed"], cancel: [...MOVING, "paused", "failed"],
  first: IDLE, last: IDLE, inOrder: IDLE,
};

/** What a wish for many does not fit is left as it is. (A failed upload has no place in the line to speak of.) */
export function fits(wish: Wish, row: UploadRow): boolean {
  return FIT[wish].includes(row.phase);
}
