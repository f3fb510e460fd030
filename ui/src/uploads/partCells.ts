// The little squares of the parts grid: one per part, or one per run of parts when there are too many to see. Pure.
import type { UploadDetails } from "../bindings/UploadDetails";

export type Cell = "stored" | "some" | "open";

export function partCells(details: UploadDetails, most: number): Cell[] {
  const total = Math.max(details.row.partsTotal, details.parts.length);
  if (total === 0) return [];
  const stored = new Set(details.parts.filter((part) => part.etag !== null).map((part) => part.number));
  const cells = Math.min(total, most);
  return Array.from({ length: cells }, (_, cell) => {
    const from = Math.floor((cell * total) / cells) + 1;
    const to = Math.floor(((cell + 1) * total) / cells);
    let done = 0;
    for (let number = from; number <= to; number += 1) if (stored.has(number)) done += 1;
    if (done === 0) return "open";
    return done === to - from + 1 ? "stored" : "some";
  });
}
