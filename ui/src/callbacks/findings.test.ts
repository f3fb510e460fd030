import { afterEach, expect, test } from "vitest";

import type { CallbackFinding } from "../bindings/CallbackFinding";
import { i18n } from "../i18n/index.svelte";
import { levelOfRow, lineOf, titleOf } from "./findings";

afterEach(() => i18n.choose("system"));

const finding = (some: Partial<CallbackFinding>): CallbackFinding => ({
  rule: "badHeader", level: "error", about: "", field: "headers", row: null, start: null, end: null, cured: null, ...some,
});

test("a finding about nothing that can be named ends without a dangling colon", () => {
  i18n.choose("en");
  expect(titleOf(finding({}))).toBe("OSS does not take this header as it is");
  expect(titleOf(finding({ about: "Host" }))).toBe("OSS does not take this header as it is: Host");
  i18n.choose("zh-CN");
  expect(titleOf(finding({ about: " " }))).toBe("OSS 不接受这样的请求头");
});

test("a row shows the worst that is said of it, and nothing that is said of others", () => {
  const all = [finding({ row: 1, level: "warning" }), finding({ row: 1 }), finding({ row: 2, level: "warning" })];
  expect([0, 1, 2].map((row) => levelOfRow(all, row))).toEqual([null, "error", "warning"]);
});

test("lines are counted from one", () => {
  expect([lineOf("a\nb", 0), lineOf("a\nb", 2)]).toEqual([1, 2]);
});
