// A row in words: state, progress, callback. Pure, apart from the language; colours only repeat what the words say.
import type { CallbackBadge } from "../bindings/CallbackBadge";
import type { Expectation } from "../bindings/Expectation";
import type { UploadRow } from "../bindings/UploadRow";
import { t } from "../i18n/index.svelte";
import type { BarTone } from "../shared/Bar.svelte";
import { clock, duration, estimate, number, percent, speed } from "../shared/format";
import type { Tone } from "../shared/Pill.svelte";

export function percentOf(row: UploadRow): number {
  return percent(row.sentBytes, row.sizeBytes, row.phase === "done");
}

/** The line above the bar, left to right. */
export interface Meta {
  words: string[];
  tone: "plain" | "bad";
}

export function metaOf(row: UploadRow): Meta {
  const done = percentOf(row);
  switch (row.phase) {
    case "sending":
      return plain(
        t("row.percent", { n: done }),
        speed(row.bytesPerSecond),
        row.etaSeconds === null ? t("row.estimating") : t("row.left", { time: estimate(row.etaSeconds) }),
      );
    case "done":
      if (row.alreadyThere === "identical") return plain(t("row.thereIdentical"), t("row.crc"));
      if (row.alreadyThere === "newer") return plain(t("row.thereNewer"));
      return row.verified ? plain(t("row.storedVerified"), t("row.crc")) : plain(t("row.stored"));
    case "paused":
      return plain(t("row.pausedAt", { n: done }), ...partsOf(row));
    case "failed":
      return { words: [problemOf(row) ?? t("phase.failed")], tone: "bad" };
    case "queued":
      return waiting(row);
    case "starting":
      return plain(t("row.starting"));
    case "completing":
      // Nobody could say yet what became of it: shown like any wait.
      return row.problem ? waiting(row) : plain(t("row.completing"), ...partsOf(row));
    case "cancelled":
      return plain(t("row.cancelled"));
  }
}

function waiting(row: UploadRow): Meta {
  const again = row.retryAtMs === null ? [] : [t("row.retryAt", { time: clock(row.retryAtMs) })];
  if (row.problem?.code === "sourceChanged") return plain(t("row.stillWritten"), ...again);
  const problem = problemOf(row);
  if (problem) return { words: [problem, ...again], tone: "bad" };
  return plain(row.sentBytes > 0 ? t("row.percent", { n: percentOf(row) }) : t("row.waiting"), ...again);
}

function plain(...words: string[]): Meta {
  return { words, tone: "plain" };
}

function partsOf(row: UploadRow): string[] {
  return row.partsTotal > 0 ? [t("row.parts", { done: number(row.partsDone), total: number(row.partsTotal) })] : [];
}

function problemOf(row: UploadRow): string | null {
  return row.problem ? t(`code.${row.problem.code}.what`) : null;
}

export function barTone(row: UploadRow): BarTone {
  if (row.phase === "done") return "ok";
  if (row.phase === "failed") return "bad";
  return row.phase === "paused" || row.phase === "cancelled" ? "pause" : "run";
}

/** What went wrong with a callback, read from OSS's own sentence. */
export type CallbackTrouble = { kind: "status"; status: number } | { kind: "timeout" | "notJson" | "unreachable" | "other" };

export function troubleOf(message: string): CallbackTrouble {
  const status = /Error status\s*:\s*(\d{3})\b/i.exec(message);
  if (status) return { kind: "status", status: Number(status[1]) };
  if (/reply timeout|timed? ?out/i.test(message)) return { kind: "timeout" };
  if (/not valid json/i.test(message)) return { kind: "notJson" };
  if (/can ?not connect/i.test(message)) return { kind: "unreachable" };
  return { kind: "other" };
}

export function pillOf(badge: CallbackBadge): { text: string; tone: Tone } {
  switch (badge.kind) {
    case "notRequested":
      return { text: t("pill.none"), tone: "idle" };
    case "waiting":
      return { text: t("pill.waiting"), tone: "idle" };
    case "notSent":
      return { text: t("pill.notSent"), tone: "idle" };
    case "answered":
      return { text: t("pill.answered", { status: badge.status, time: duration(badge.tookMs) }), tone: "ok" };
    case "notAsExpected":
      return { text: t("pill.notAsExpected"), tone: "warn" };
    case "callingAgain":
      return { text: t("pill.callingAgain"), tone: "idle" };
    case "unknown":
      return { text: t("pill.lost"), tone: "warn" };
    case "failed":
      return { text: failedPill(badge.message), tone: "bad" };
  }
}

function failedPill(message: string): string {
  const trouble = troubleOf(message);
  switch (trouble.kind) {
    case "status":
      return t("pill.status", { status: trouble.status });
    case "timeout":
      return t("pill.timeout");
    case "notJson":
      return t("pill.notJson");
    case "unreachable":
      return t("pill.unreachable");
    case "other":
      return t("pill.failed");
  }
}

/** A sentence on the callback for the person; null when the answer speaks for itself. */
export function callbackNote(badge: CallbackBadge): string | null {
  if (badge.kind === "waiting") return t("callback.note.waiting");
  if (badge.kind === "notSent") return t("callback.note.notSent");
  if (badge.kind === "callingAgain") return t("callback.note.callingAgain");
  if (badge.kind === "notAsExpected") return t("callback.note.notAsExpected", { unmet: unmetWords(badge.unmet) });
  if (badge.kind === "unknown") return t("callback.note.unknown");
  if (badge.kind !== "failed") return null;
  const trouble = troubleOf(badge.message);
  if (trouble.kind === "status") return t("callback.note.status", { status: trouble.status });
  return trouble.kind === "other" ? t("callback.note.failed") : t(`callback.note.${trouble.kind}`);
}

/** What the answer lacks; null where it is not JSON at all. */
function unmetWords(unmet: Expectation | null): string {
  if (unmet === null) return t("unmet.notJson");
  const { pointer, comparison, value } = unmet;
  return t(`unmet.${comparison}`, { pointer, value });
}

/** The row as a screen reader says it: `name, uploading, 62 percent, callback: Waiting for upload`. */
export function labelOf(row: UploadRow): string {
  const state = row.phase === "sending" ? t("row.uploading") : stateWords(row);
  return t("row.label", { name: row.name, state, percent: percentOf(row), callback: pillOf(row.callback).text });
}

function stateWords(row: UploadRow): string {
  if (row.alreadyThere) return t(row.alreadyThere === "identical" ? "row.thereIdentical" : "row.thereNewer");
  const problem = row.phase === "failed" || row.phase === "queued" ? problemOf(row) : null;
  return problem ? `${t(`phase.${row.phase}`)}, ${problem}` : t(`phase.${row.phase}`);
}
