// A callback body from form to JSON and back, with its fields kept. Pure.
//
// In a form a value is any text with `${variables}` in it. In JSON OSS puts the quotes around a variable itself, so a
// value is a text or a variable, never a mixture: a mixture becomes a list of its pieces, and a list a mixture again.
import type { BodyKind } from "../bindings/BodyKind";

export interface Converted {
  body: string;
  /** Fields that had to become a list. */
  mixed: string[];
}

type Piece = { kind: "text" | "variable" | "bare"; text: string };
interface Entry {
  name: string;
  pieces: Piece[];
}

const VARIABLE = /(\$\{[^{}]*\})/;
/** Characters of no language, to tell variables and numbers from texts while JSON is read. */
const VARIABLE_MARK = "\uE000";
const BARE_MARK = "\uE001";

/** Null when the body cannot be read as what it is said to be. */
export function convertBody(body: string, from: BodyKind, to: BodyKind): Converted | null {
  if (from === to) return { body, mixed: [] };
  const entries = from === "form" ? readForm(body) : readJson(body);
  if (!entries) return null;
  const unique = withUniqueNames(entries);
  return to === "json" ? writeJson(unique) : { body: writeForm(unique), mixed: [] };
}

function piecesOf(text: string): Piece[] {
  return text
    .split(VARIABLE)
    .filter((part) => part !== "")
    .map((part) => ({ kind: VARIABLE.test(part) ? "variable" : "text", text: part }));
}

function readForm(body: string): Entry[] | null {
  try {
    return body
      .split("&")
      .map((pair) => pair.trim())
      .filter((pair) => pair !== "")
      .map((pair) => {
        const [name = "", ...rest] = pair.split("=");
        const pieces = piecesOf(rest.join("="));
        return { name: decoded(name), pieces: pieces.map((piece) => (piece.kind === "text" ? { ...piece, text: decoded(piece.text) } : piece)) };
      });
  } catch {
    return null;
  }
}

function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

function readJson(body: string): Entry[] | null {
  // What stands outside of texts becomes a marked text, so that nothing of it is lost or rounded.
  const asJson = body.replace(/"(?:[^"\\]|\\.)*"|\$\{[^{}]*\}|-?\d[\d.eE+-]*/g, (part) => {
    if (part.startsWith('"')) return part;
    return JSON.stringify((part.startsWith("$") ? VARIABLE_MARK : BARE_MARK) + part);
  });
  try {
    const value: unknown = JSON.parse(asJson);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
    return flattened(value, "");
  } catch {
    return null;
  }
}

/** `{"a":{"b":1}}` has the field `a.b`. */
function flattened(value: object, prefix: string): Entry[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]): Entry[] => {
    const name = prefix + key;
    if (Array.isArray(inner)) return [{ name, pieces: inner.flatMap((item: unknown) => leaf(item)) }];
    if (typeof inner === "object" && inner !== null) return flattened(inner, `${name}.`);
    return [{ name, pieces: leaf(inner) }];
  });
}

function leaf(value: unknown): Piece[] {
  if (typeof value !== "string") return [{ kind: "bare", text: JSON.stringify(value) }];
  if (value.startsWith(VARIABLE_MARK)) return [{ kind: "variable", text: value.slice(1) }];
  if (value.startsWith(BARE_MARK)) return [{ kind: "bare", text: value.slice(1) }];
  return piecesOf(value);
}

function withUniqueNames(entries: readonly Entry[]): Entry[] {
  const seen = new Set<string>();
  return entries.map((entry) => {
    let name = entry.name;
    for (let n = 2; seen.has(name); n += 1) name = `${entry.name}_${n}`;
    seen.add(name);
    return { ...entry, name };
  });
}

function writeForm(entries: readonly Entry[]): string {
  const value = ({ kind, text }: Piece) => (kind === "variable" ? text : encodeURIComponent(text));
  return entries.map(({ name, pieces }) => `${encodeURIComponent(name)}=${pieces.map(value).join("")}`).join("&");
}

function writeJson(entries: readonly Entry[]): Converted {
  const value = ({ kind, text }: Piece) => (kind === "text" ? JSON.stringify(text) : text);
  const mixed = entries.filter(({ pieces }) => pieces.length > 1).map(({ name }) => name);
  const lines = entries.map(({ name, pieces }) => {
    const values = pieces.map(value);
    const whole = values.length > 1 ? `[${values.join(", ")}]` : (values[0] ?? '""');
    return `  ${JSON.stringify(name)}: ${whole}`;
  });
  return { body: lines.length > 0 ? `{\n${lines.join(",\n")}\n}` : "{}", mixed };
}
