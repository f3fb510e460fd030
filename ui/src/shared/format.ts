// Numbers as a person reads them: bytes, speeds, durations, times. Pure, apart from the language.
import { i18n, t } from "../i18n/index.svelte";

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"] as const;

/** Bytes in binary steps, three significant digits: `2.31 GB`. */
export function bytes(count: number): string {
  let value = Math.max(0, count);
  let unit = 0;
  // 999.5 and more would round to four digits: it is 0.98 of the next unit instead.
  while (unit < UNITS.length - 1 && value >= 999.5) {
    value /= 1024;
    unit += 1;
  }
  return `${number(value, 3)} ${UNITS[unit]}`;
}

/** Bytes a second: `41.2 MB/s`. */
export function speed(bytesPerSecond: number): string {
  return t("time.speed", { size: bytes(bytesPerSecond) });
}

/** A whole or a short number by locale. */
export function number(value: number, significant?: number): string {
  return new Intl.NumberFormat(i18n.language, significant ? { maximumSignificantDigits: significant } : {}).format(value);
}

/** A measured time: `84 ms`, `57 s`, `1 min 12 s`, `2 h 5 min`. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) return t("time.ms", { n: Math.round(ms) });
  if (ms < 9_950) return t("time.s", { n: number(Math.round(ms / 100) / 10) });
  const s = Math.round(ms / 1000);
  if (s < 60) return t("time.s", { n: s });
  if (s < 3600) return s % 60 === 0 ? t("time.min", { n: s / 60 }) : t("time.minS", { n: Math.floor(s / 60), s: s % 60 });
  const min = Math.round(s / 60);
  return min % 60 === 0 ? t("time.h", { n: min / 60 }) : t("time.hMin", { n: Math.floor(min / 60), m: min % 60 });
}

/** A time to go, rounded as an estimate deserves: `40 s`, `3 min`, `2 h 10 min`, `3 d`. */
export function estimate(seconds: number): string {
  if (seconds < 10) return t("time.s", { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 55) return t("time.s", { n: Math.round(seconds / 5) * 5 });
  const min = Math.max(1, Math.round(seconds / 60));
  if (min < 60) return t("time.min", { n: min });
  if (min < 48 * 60) {
    const rounded = Math.round(min / 10) * 10;
    const rest = rounded % 60;
    const h = Math.floor(rounded / 60);
    return rest === 0 ? t("time.h", { n: h }) : t("time.hMin", { n: h, m: rest });
  }
  return t("time.d", { n: Math.round(min / 1440) });
}

/** A moment: the time alone when it is today, else with its date. */
export function moment(atMs: number, nowMs: number = Date.now()): string {
  const at = new Date(atMs);
  const sameDay = at.toDateString() === new Date(nowMs).toDateString();
  const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const day: Intl.DateTimeFormatOptions = { year: "numeric", month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(i18n.language, sameDay ? clock : { ...day, ...clock }).format(at);
}

/** Hours and minutes of a moment that is near. */
export function clock(atMs: number): string {
  return new Intl.DateTimeFormat(i18n.language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(atMs);
}

/** Whole percent; 100 only when nothing is left. */
export function percent(done: number, total: number, finished: boolean): number {
  if (finished) return 100;
  if (total <= 0) return 0;
  return Math.min(99, Math.max(0, Math.floor((done / total) * 100)));
}

/** A long hash with its middle left out: `9C1E…-276`. */
export function shortened(text: string, head = 4, tail = 4): string {
  return text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}
