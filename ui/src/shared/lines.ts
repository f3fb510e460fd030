// A text as lines that can be folded and searched. JSON is indented, all else is left as it is. Pure.
import { prettyJson, type Token } from "./json";

export interface Line {
  tokens: readonly Token[];
  /** The line that closes what this one opens; its own number when it opens nothing. */
  end: number;
}

export interface Piece extends Token {
  hit: boolean;
}

export function linesOf(text: string): Line[] {
  const tokens = prettyJson(text);
  if (tokens === null) return text.split("\n").map((line, at) => ({ tokens: [{ kind: "plain", text: line }], end: at }));
  const lines: Token[][] = [[]];
  for (const token of tokens) {
    // A new line is a token of its own, with the indent behind it.
    if (token.kind === "plain" && token.text.startsWith("\n")) lines.push([{ kind: "plain", text: token.text.slice(1) }]);
    else lines.at(-1)?.push(token);
  }
  return withEnds(lines);
}

function withEnds(lines: readonly Token[][]): Line[] {
  const made = lines.map((tokens, at) => ({ tokens, end: at }));
  const open: number[] = [];
  lines.forEach((tokens, at) => {
    // A text in JSON has its quotes with it, so a bracket by itself is a bracket.
    for (const { text } of tokens) {
      if (text === "{" || text === "[") open.push(at);
      if (text !== "}" && text !== "]") continue;
      const begun = made[open.pop() ?? at];
      if (begun && begun.end < at) begun.end = at;
    }
  });
  return made;
}

export function textOf(line: Line): string {
  return line.tokens.map(({ text }) => text).join("");
}

/** Numbers of the lines with the needle in them, in whatever case. */
export function hitsOf(lines: readonly Line[], needle: string): number[] {
  if (needle === "") return [];
  const wanted = needle.toLowerCase();
  return lines.flatMap((line, at) => (textOf(line).toLowerCase().includes(wanted) ? [at] : []));
}

/** Numbers of the lines that are in sight: not those inside of what is folded. */
export function inSight(lines: readonly Line[], folded: ReadonlySet<number>): number[] {
  const shown: number[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    shown.push(at);
    const end = lines[at]?.end ?? at;
    // The closing line goes on with what comes behind it.
    if (folded.has(at) && end > at) at = end - 1;
  }
  return shown;
}

/** The folds without those that hide one of these lines. */
export function unfolded(lines: readonly Line[], folded: ReadonlySet<number>, wanted: readonly number[]): Set<number> {
  const hides = (fold: number) => wanted.some((at) => at > fold && at < (lines[fold]?.end ?? fold));
  return new Set([...folded].filter((fold) => !hides(fold)));
}

/** The line cut where the needle begins and ends, across its tokens. */
export function piecesOf(line: Line, needle: string): Piece[] {
  if (needle === "") return line.tokens.map((token) => ({ ...token, hit: false }));
  const text = textOf(line).toLowerCase();
  const wanted = needle.toLowerCase();
  // Some letters grow when they are made small; then places no longer agree and nothing is marked.
  const same = text.length === textOf(line).length;
  const hits: number[] = [];
  for (let at = text.indexOf(wanted); same && at >= 0; at = text.indexOf(wanted, at + wanted.length)) hits.push(at, at + wanted.length);
  let from = 0;
  return line.tokens.flatMap((token) => {
    const end = from + token.text.length;
    const cuts = [from, ...hits.filter((cut) => cut > from && cut < end), end];
    const pieces = cuts.slice(1).map((to, at) => {
      const begin = cuts[at] ?? from;
      return { kind: token.kind, text: token.text.slice(begin - from, to - from), hit: hits.filter((cut) => cut <= begin).length % 2 === 1 };
    });
    from = end;
    return pieces.filter((piece) => piece.text !== "");
  });
}
