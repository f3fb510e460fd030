// Findings of the linter in words, and which of them belong to a place of the editor. Pure, apart from the language.
import type { CallbackField } from "../bindings/CallbackField";
import type { CallbackFinding } from "../bindings/CallbackFinding";
import type { FindingLevel } from "../bindings/FindingLevel";
import { t } from "../i18n/index.svelte";

/** Where there is nothing to name, the colon before it goes too. */
export function titleOf({ rule, about }: CallbackFinding): string {
  const title = t(`rule.${rule}`, { about: about.trim() });
  return about.trim() === "" ? title.replace(/\s*[:：]\s*$/, "") : title;
}

export function whyOf({ rule, about }: CallbackFinding): string {
  return t(`rule.${rule}.why`, { about });
}

export function cureOf({ rule, about }: CallbackFinding): string {
  return t(`rule.${rule}.cure`, { about });
}

export function of(findings: readonly CallbackFinding[], field: CallbackField): CallbackFinding[] {
  return findings.filter((finding) => finding.field === field);
}

/** The worst that is said about a row of a list or table; null when nothing is. */
export function levelOfRow(findings: readonly CallbackFinding[], row: number): FindingLevel | null {
  const here = findings.filter((finding) => finding.row === row);
  if (here.some(({ level }) => level === "error")) return "error";
  return here.length > 0 ? "warning" : null;
}

/** Line of a place in a text, from 1. */
export function lineOf(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}
