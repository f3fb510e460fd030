// Order by hand, the same by drag and by keyboard. Pure.

/** The list with one item at another place; the same list when there is no such place. */
export function moved<Item>(items: readonly Item[], from: number, to: number): readonly Item[] {
  if (from === to || !(from in items) || !(to in items)) return items;
  const all = [...items];
  all.splice(to, 0, ...all.splice(from, 1));
  return all;
}
