// Limits as they stand in the form: text that may be empty, and back to what the engine keeps. Pure.
import type { Limit } from "../bindings/Limit";
import type { LimitRules } from "../bindings/LimitRules";
import type { Limits } from "../bindings/Limits";

export const UNITS = { "KB/s": 1024, "MB/s": 1024 * 1024 } as const;
export type Unit = keyof typeof UNITS;

/** Number inputs give null while they are empty. */
export interface LimitDraft {
  speed: number | null;
  unit: Unit;
  requests: number | null;
}

export interface LineDraft {
  days: number[];
  from: string;
  until: string;
  limit: LimitDraft;
}

export interface RulesDraft {
  usual: LimitDraft;
  timetable: LineDraft[];
}

export interface LimitsDraft {
  everywhere: RulesDraft;
  /** By destination id. */
  destinations: Record<string, RulesDraft>;
  atOnce: number | null;
}

export function noLimit(): LimitDraft {
  return { speed: null, unit: "MB/s", requests: null };
}

export function noRules(): RulesDraft {
  return { usual: noLimit(), timetable: [] };
}

/** Office hours, since that is what most lines are for. */
export function newLine(): LineDraft {
  return { days: [1, 2, 3, 4, 5], from: "09:00", until: "18:00", limit: noLimit() };
}

export function draftOf(limits: Limits): LimitsDraft {
  const destinations = limits.destinations.map(({ destinationId, rules }) => [destinationId, rulesDraft(rules)]);
  return {
    everywhere: rulesDraft(limits.everywhere),
    destinations: Object.fromEntries(destinations),
    atOnce: limits.requestsAtOnce,
  };
}

/** Destinations without any rule are left out. */
export function limitsOf(draft: LimitsDraft): Limits {
  const destinations = Object.entries(draft.destinations)
    .map(([destinationId, rules]) => ({ destinationId, rules: rulesOf(rules) }))
    .filter(({ rules }) => rules.timetable.length > 0 || Object.values(rules.usual).some((value) => value !== null));
  return { everywhere: rulesOf(draft.everywhere), destinations, requestsAtOnce: draft.atOnce };
}

function rulesDraft({ usual, timetable }: LimitRules): RulesDraft {
  const line = ({ days, fromMinute, untilMinute, limit }: LimitRules["timetable"][number]): LineDraft => ({
    days: [...days], from: clock(fromMinute), until: clock(untilMinute), limit: limitDraft(limit),
  });
  return { usual: limitDraft(usual), timetable: timetable.map(line) };
}

function rulesOf({ usual, timetable }: RulesDraft): LimitRules {
  const line = ({ days, from, until, limit }: LineDraft): LimitRules["timetable"][number] => ({
    days: [...days].sort(), fromMinute: minute(from), untilMinute: minute(until), limit: limitOf(limit),
  });
  return { usual: limitOf(usual), timetable: timetable.map(line) };
}

function limitDraft({ bytesPerSecond, requestsPerSecond }: Limit): LimitDraft {
  const unit: Unit = bytesPerSecond !== null && bytesPerSecond < UNITS["MB/s"] ? "KB/s" : "MB/s";
  // Enough digits to come back to the same bytes.
  const speed = bytesPerSecond === null ? null : Number((bytesPerSecond / UNITS[unit]).toFixed(7));
  return { speed, unit, requests: requestsPerSecond };
}

function limitOf({ speed, unit, requests }: LimitDraft): Limit {
  return { bytesPerSecond: speed === null ? null : Math.round(speed * UNITS[unit]), requestsPerSecond: requests };
}

/** Midnight at the end of a day is 00:00, which goes past midnight and means the same. */
function clock(minute: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`;
}

function minute(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return hours * 60 + minutes;
}
