import { expect, test } from "vitest";

import { hitsOf, inSight, linesOf, piecesOf, textOf, unfolded } from "./lines";

const NESTED = '{"a":{"b":[1,2]},"empty":{},"c":"x {y"}';

test("JSON becomes indented lines that know where they close, and loses no character of a value", () => {
  const lines = linesOf(NESTED);
  expect(lines.map(textOf)).toEqual(["{", '  "a": {', '    "b": [', "      1,", "      2", "    ]", "  },", '  "empty": {},', '  "c": "x {y"', "}"]);
  expect(lines.map(({ end }) => end)).toEqual([9, 6, 5, 3, 4, 5, 6, 7, 8, 9]);
});

test("what is no JSON keeps its lines and folds nowhere", () => {
  const lines = linesOf("<a>\n  {\n</a>");
  expect(lines.map(textOf)).toEqual(["<a>", "  {", "</a>"]);
  expect(lines.every(({ end }, at) => end === at)).toBe(true);
});

test("a fold hides what is inside and keeps its closing line", () => {
  const lines = linesOf(NESTED);
  expect(inSight(lines, new Set([1]))).toEqual([0, 1, 6, 7, 8, 9]);
  expect(inSight(lines, new Set([0, 1]))).toEqual([0, 9]);
  expect(inSight(lines, new Set([7]))).toHaveLength(10);
});

test("a hit is found in whatever case, and unfolds only what hides it", () => {
  const lines = linesOf('{"a":{"Name":"mei"},"b":{"c":1}}');
  expect(hitsOf(lines, "NAME")).toEqual([2]);
  expect(hitsOf(lines, "")).toEqual([]);
  expect([...unfolded(lines, new Set([1, 4]), [2])]).toEqual([4]);
});

test("a hit that crosses a key and its value is marked in both, and nothing else is", () => {
  const line = linesOf('{"id":77,"id2":770}')[1]!;
  const pieces = piecesOf(line, '": 7');
  expect(pieces.filter(({ hit }) => hit).map(({ text }) => text).join("")).toBe('": 7');
  expect(pieces.map(({ text }) => text).join("")).toBe(textOf(line));
});

test("hits side by side are all marked", () => {
  const pieces = piecesOf({ tokens: [{ kind: "plain", text: "aaab" }], end: 0 }, "a");
  expect(pieces.filter(({ hit }) => hit).map(({ text }) => text)).toEqual(["a", "a", "a"]);
});
