// The calls that were made for an upload's callback: which of them counts, and each in words. Pure, apart from the language.
import type { CallbackTrial } from "../bindings/CallbackTrial";
import type { CallbackView } from "../bindings/CallbackView";
import type { EcAdvice } from "../bindings/EcAdvice";
import { i18n, t } from "../i18n/index.svelte";
import { duration } from "../shared/format";
import type { Tone } from "../shared/Pill.svelte";

/** OSS waits so long for an answer [API page Callback]. */
export const LIMIT_MS = 5000;
/** As many calls are kept in sight; with so many, the first of them need not be the upload's own. */
const KEPT = 50;

export interface Call {
  trial: CallbackTrial;
  /** OSS made it, or tried to; else it was wanted and not made. */
  made: boolean;
  /** It came with the upload itself. */
  first: boolean;
}

/** The newest first. */
export function callsOf({ calls }: CallbackView): Call[] {
  return calls
    .map((trial, at) => ({ trial, made: trial.status > 0 || trial.problem === null, first: at === 0 && calls.length < KEPT }))
    .reverse();
}

/** The call that the upload's outcome comes from. */
export function countsOf(calls: readonly Call[]): Call | null {
  return calls.find(({ made }) => made) ?? null;
}

export function callPill({ trial, made }: Call): { text: string; tone: Tone } {
  if (!made) return { text: t("calls.notMade"), tone: "idle" };
  if (trial.status === 0) return { text: t("pill.lost"), tone: "warn" };
  return { text: t("callback.answeredPill", { status: trial.status, time: duration(trial.tookMs) }), tone: trial.status === 200 ? "ok" : "bad" };
}

/** How much of the time that OSS allows was used, and whether that is near the end. */
export function spent(tookMs: number): { percent: number; tone: "ok" | "bad" } {
  return { percent: Math.min(100, Math.round((tookMs / LIMIT_MS) * 100)), tone: tookMs < LIMIT_MS * 0.8 ? "ok" : "bad" };
}

export function adviceWords(advice: EcAdvice): { cause: string; cure: string } {
  return i18n.language === "zh-CN" ? { cause: advice.causeZh, cure: advice.cureZh } : { cause: advice.causeEn, cure: advice.cureEn };
}
