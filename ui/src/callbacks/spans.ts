// The previewed body cut into pieces: what is certain, and what only OSS can know. Pure.
import type { SampleSpan } from "../bindings/SampleSpan";

export interface Piece {
  text: string;
  /** The variable that this is a sample of. */
  sample: string | null;
}

export function piecesOf(body: string, samples: readonly SampleSpan[]): Piece[] {
  const pieces: Piece[] = [];
  const put = (text: string, sample: string | null) => text !== "" && pieces.push({ text, sample });
  let at = 0;
  for (const { start, end, name } of [...samples].sort((a, b) => a.start - b.start)) {
    put(body.slice(at, start), null);
    put(body.slice(Math.max(at, start), end), name);
    at = Math.max(at, end);
  }
  put(body.slice(at), null);
  return pieces;
}
