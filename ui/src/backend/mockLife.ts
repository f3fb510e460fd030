// How the invented world moves: bytes go up, uploads finish, the next ones start.
import type { UploadRow } from "../bindings/UploadRow";
import type { Line } from "./mockWishes";
import { MIB } from "./mockWorld";

const SLOTS = 4;

/** The rows that changed within one tick. */
export function tickRows(rows: readonly UploadRow[], line: Line, tickMs: number, nowMs: number): UploadRow[] {
  const changed: UploadRow[] = [];
  let running = 0;
  for (const row of rows) {
    const next = tick(row, tickMs, nowMs);
    if (next) changed.push(next);
    if ((next ?? row).phase === "sending" || row.phase === "starting" || row.phase === "completing") running += 1;
  }
  for (const row of line.waiting(rows)) {
    if (running >= SLOTS) break;
    if (row.problem) continue;
    changed.push({ ...row, phase: "starting" });
    running += 1;
  }
  return changed;
}

function tick(row: UploadRow, tickMs: number, nowMs: number): UploadRow | null {
  if (row.phase === "starting") return Math.random() < 0.2 ? { ...row, phase: "sending" } : null;
  if (row.phase === "completing") return Math.random() < 0.1 ? finished(row, nowMs) : null;
  if (row.phase !== "sending") return null;
  const bytesPerSecond = Math.round((30 + 15 * Math.random()) * MIB * 0.1 + row.bytesPerSecond * 0.9) || 8 * MIB;
  const sentBytes = Math.min(row.sizeBytes, row.sentBytes + Math.round((bytesPerSecond * tickMs) / 1000));
  const partsDone = Math.floor((sentBytes / row.sizeBytes) * row.partsTotal);
  if (sentBytes === row.sizeBytes) {
    return { ...row, phase: "completing", sentBytes, partsDone: row.partsTotal, bytesPerSecond: 0, etaSeconds: null };
  }
  const etaSeconds = Math.round((row.sizeBytes - sentBytes) / bytesPerSecond);
  return { ...row, sentBytes, partsDone, bytesPerSecond, etaSeconds };
}

function finished(row: UploadRow, nowMs: number): UploadRow {
  const tookMs = 40 + Math.round(Math.random() * 90);
  const callback = row.callback.kind === "waiting" ? { kind: "answered" as const, status: 200, tookMs } : row.callback;
  return { ...row, phase: "done", verified: true, callback, finishedMs: nowMs };
}
