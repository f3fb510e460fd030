import { expect, test } from "vitest";

import { distribution, EDGES_MS, inSight, percentile, trend } from "./latency";

const calls = [40, 50, 51, 4999, 5000, 5002].map((tookMs, at) => ({ atMs: at * 1000, tookMs, ok: tookMs !== 5002 }));

test("a call on the edge counts below it, and one over the limit is in the last bucket", () => {
  const counts = distribution(calls);
  expect(counts).toHaveLength(EDGES_MS.length + 1);
  expect(counts).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 2, 1]);
});

test("percentiles are times that really occurred, and nothing without calls", () => {
  expect(percentile(calls, 0.5)).toBe(51);
  expect(percentile(calls, 0.95)).toBe(5002);
  expect(percentile([], 0.5)).toBeNull();
});

test("the trend keeps failed calls apart from good ones", () => {
  expect(trend(calls.slice(4))).toEqual([[4, 5], [5000, null], [null, 5002]]);
});

test("a single call stands in the middle of a minute, and many are shown from the first to the last", () => {
  expect(inSight(1, 1000, 86_401_000)).toEqual([970, 1030]);
  expect(inSight(3, 1000, 1020)).toEqual([980, 1040]);
  expect(inSight(3, 1000, 5000)).toEqual([1000, 5000]);
});
