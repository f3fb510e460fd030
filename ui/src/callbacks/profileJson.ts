// A whole profile as JSON that a person edits: printed, and read back with an error that says where. Pure.
import type { CallbackProfileForm } from "../bindings/CallbackProfileForm";

export interface NamedForm {
  name: string;
  form: CallbackProfileForm;
}

/** What is wrong: the path of the field, and what it must be. */
export interface ShapeError {
  path: string;
  must: "object" | "list" | "text" | "switch" | "bodyKind" | "comparison" | "unknown" | "missing";
}
export type Read = { ok: NamedForm } | { syntax: string } | { shape: ShapeError };

type Check = (value: unknown, path: string) => void;

class Wrong extends Error {
  constructor(readonly shape: ShapeError) {
    super(shape.path);
  }
}

const text: Check = (value, path) => must(typeof value === "string", path, "text");
const flag: Check = (value, path) => must(typeof value === "boolean", path, "switch");
const oneOf = (allowed: readonly string[], kind: ShapeError["must"]): Check => (value, path) =>
  must(typeof value === "string" && allowed.includes(value), path, kind);

function must(holds: boolean, path: string, kind: ShapeError["must"]): void {
  if (!holds) throw new Wrong({ path, must: kind });
}

function list(item: Check): Check {
  return (value, path) => {
    must(Array.isArray(value), path, "list");
    (value as unknown[]).forEach((one, at) => item(one, `${path}[${at}]`));
  };
}

function object(fields: Record<string, Check>): Check {
  return (value, path) => {
    must(typeof value === "object" && value !== null && !Array.isArray(value), path, "object");
    const of = (name: string) => (path === "" ? name : `${path}.${name}`);
    for (const name of Object.keys(value as object)) must(name in fields, of(name), "unknown");
    for (const [name, check] of Object.entries(fields)) {
      must(name in (value as object), of(name), "missing");
      check((value as Record<string, unknown>)[name], of(name));
    }
  };
}

const PAIRS = list(object({ name: text, value: text }));
const PROFILE = object({
  name: text,
  urls: list(text),
  host: text,
  query: PAIRS,
  headers: PAIRS,
  bodyType: oneOf(["form", "json"], "bodyKind"),
  body: text,
  sni: flag,
  variables: PAIRS,
  bestEffort: flag,
  expectations: list(object({ pointer: text, comparison: oneOf(["exists", "equals", "differs", "contains"], "comparison"), value: text })),
  columns: list(object({ title: text, pointer: text })),
});

export function printProfile({ name, form }: NamedForm): string {
  const { urls, host, query, headers, bodyType, body, sni, variables, bestEffort, expectations, columns } = form;
  return JSON.stringify({ name, urls, host, query, headers, bodyType, body, sni, variables, bestEffort, expectations, columns }, null, 2);
}

export function readProfile(source: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (thrown) {
    return { syntax: (thrown as Error).message };
  }
  try {
    PROFILE(value, "");
  } catch (thrown) {
    if (thrown instanceof Wrong) return { shape: thrown.shape };
    throw thrown;
  }
  const { name, ...form } = value as { name: string } & CallbackProfileForm;
  return { ok: { name, form } };
}
