import { afterEach, beforeEach, expect, test } from "vitest";

import { i18n } from "../i18n/index.svelte";
import { bytes, duration, estimate, moment, percent, shortened, speed } from "./format";

beforeEach(() => i18n.choose("en"));
afterEach(() => i18n.choose("system"));

test.each([
  [0, "0 B"],
  [812, "812 B"],
  [3072, "3 KB"],
  [2480343613, "2.31 GB"],
  [509607936, "486 MB"],
  [1023.9 * 1024, "1 MB"],
  [48.8 * 1024 ** 4, "48.8 TB"],
])("%d bytes read as %s", (count, text) => expect(bytes(count)).toBe(text));

test("a speed is bytes a second", () => expect(speed(41.2 * 1024 ** 2)).toBe("41.2 MB/s"));

test.each([
  [84, "84 ms"],
  [1240, "1.2 s"],
  [57_000, "57 s"],
  [72_400, "1 min 12 s"],
  [120_000, "2 min"],
  [7_500_000, "2 h 5 min"],
])("%d ms took %s", (ms, text) => expect(duration(ms)).toBe(text));

test.each([
  [0, "1 s"],
  [38, "40 s"],
  [170, "3 min"],
  [7_690, "2 h 10 min"],
  [259_200, "3 d"],
])("%d seconds to go are rounded to %s", (seconds, text) => expect(estimate(seconds)).toBe(text));

test("a moment of another day has its date, one of today has not", () => {
  const noon = new Date(2026, 10, 20, 12, 0, 0).getTime();
  expect(moment(noon + 1000, noon)).toBe("12:00:01");
  expect(moment(noon - 86_400_000, noon)).toContain("2026");
});

test("percent never reaches 100 before the upload is finished", () => {
  expect(percent(999_999, 1_000_000, false)).toBe(99);
  expect(percent(1_000_000, 1_000_000, false)).toBe(99);
  expect(percent(0, 0, false)).toBe(0);
  expect(percent(0, 0, true)).toBe(100);
});

test("a long hash keeps its head and tail", () => {
  expect(shortened("9C1E0B5A7D6F44C2-276")).toBe("9C1E…-276");
  expect(shortened("abc")).toBe("abc");
});

test("units follow the language", () => {
  i18n.choose("zh-CN");
  expect(duration(57_000)).toBe("57 秒");
});
