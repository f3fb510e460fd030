// How long callbacks took, in numbers for a chart and for a sentence. Pure.
import type { CallbackTime } from "../bindings/CallbackTime";

/** OSS waits this long for an answer. */
export const LIMIT_MS = 5000;

/** Upper edges of the buckets of the distribution; what took longer is in the last one. */
export const EDGES_MS = [50, 100, 200, 500, 1000, 2000, 3000, 4000, LIMIT_MS] as const;

/** How many calls fell into each bucket; one more than there are edges. */
export function distribution(calls: readonly CallbackTime[]): number[] {
  const counts = new Array<number>(EDGES_MS.length + 1).fill(0);
  for (const { tookMs } of calls) {
    const at = EDGES_MS.findIndex((edge) => tookMs <= edge);
    const bucket = at < 0 ? EDGES_MS.length : at;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

/** The time that this share of the calls did not exceed; null without calls. */
export function percentile(calls: readonly CallbackTime[], share: number): number | null {
  const sorted = calls.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

/** For uPlot: seconds, then the times of good calls and of failed ones. */
export function trend(calls: readonly CallbackTime[]): [number[], (number | null)[], (number | null)[]] {
  return [
    calls.map(({ atMs }) => atMs / 1000),
    calls.map(({ ok, tookMs }) => (ok ? tookMs : null)),
    calls.map(({ ok, tookMs }) => (ok ? null : tookMs)),
  ];
}

/** The seconds that a chart of these calls shows: a minute at least, with them in the middle. Of a single call uPlot would show years behind it. */
export function inSight(calls: number, from: number, to: number): [number, number] {
  const last = calls === 1 ? from : to;
  const spare = Math.max(0, 60 - (last - from)) / 2;
  return [from - spare, last + spare];
}
