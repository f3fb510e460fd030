import { afterEach, beforeEach, expect, test } from "vitest";

import { mockRow } from "../backend/mockWorld";
import type { Expectation } from "../bindings/Expectation";
import type { UploadRow } from "../bindings/UploadRow";
import { i18n } from "../i18n/index.svelte";
import { possible } from "./actions";
import { partCells } from "./partCells";
import { mockDetails } from "../backend/mockDetails";
import { callbackNote, labelOf, metaOf, pillOf, troubleOf } from "./words";

beforeEach(() => i18n.choose("en"));
afterEach(() => i18n.choose("system"));

const row = (some: Partial<UploadRow>) => mockRow({ no: 1, name: "a.mov", sizeBytes: 100e6, ...some });
const problem = (code: "network" | "accessDenied" | "sourceChanged") => ({ code, message: "m", requestId: null, ec: null });

test.each<[Partial<UploadRow>, string[]]>([
  [{ phase: "sending", sentBytes: 63e6, bytesPerSecond: 41.2 * 1024 ** 2, etaSeconds: 170 }, ["63%", "41.2 MB/s", "3 min left"]],
  [{ phase: "sending", sentBytes: 63e6, bytesPerSecond: 1024, etaSeconds: null }, ["63%", "1 KB/s", "estimating"]],
  [{ phase: "done" }, ["Stored, verified", "CRC-64 ✓"]],
  [{ phase: "done", verified: false }, ["Stored"]],
  [{ phase: "paused", sentBytes: 37e6, partsDone: 11, partsTotal: 30 }, ["Paused at 37%", "11 of 30 parts"]],
  [{ phase: "queued" }, ["Waiting"]],
  [{ phase: "queued", problem: problem("sourceChanged") }, ["Still being written"]],
  [{ phase: "failed", problem: problem("accessDenied") }, ["The AccessKey may not do this"]],
  [{ phase: "completing", partsTotal: 0 }, ["Finishing"]],
  [{ phase: "completing", problem: problem("network") }, ["OSS not reached"]],
])("%o reads %o", (some, words) => expect(metaOf(row(some)).words).toEqual(words));

test("a retry names its problem in red and its time", () => {
  const at = new Date(2026, 10, 20, 14, 3).getTime();
  const meta = metaOf(row({ phase: "queued", problem: problem("network"), retryAtMs: at }));
  expect(meta).toEqual({ words: ["OSS not reached", "retry at 14:03"], tone: "bad" });
});

test.each([
  ["Error status : 502.", { kind: "status", status: 502 }],
  ["Error status : 301.", { kind: "status", status: 301 }],
  ["Error status : -1 OSS can not connect to your callbackUrl, please check it.", { kind: "unreachable" }],
  ["Error status : reply timeout, cost:5000 timeout:5000", { kind: "timeout" }],
  ["Response body is not valid json format.", { kind: "notJson" }],
  ["Too many callback requests", { kind: "other" }],
])("OSS's sentence '%s' is understood", (message, trouble) => expect(troubleOf(message)).toEqual(trouble));

test("pills tell storage and callback apart", () => {
  expect(pillOf({ kind: "failed", ec: null, message: "Error status : 502." })).toEqual({ text: "502 from server", tone: "bad" });
  expect(pillOf({ kind: "answered", status: 200, tookMs: 84 })).toEqual({ text: "200 in 84 ms", tone: "ok" });
  expect(pillOf({ kind: "unknown" })).toEqual({ text: "Answer lost", tone: "warn" });
  expect(callbackNote({ kind: "failed", ec: null, message: "x" })).toContain("file is safe");
  expect(callbackNote({ kind: "answered", status: 200, tookMs: 1 })).toBeNull();
});

test("what an answer lacks is said in the language of the window", () => {
  const said = (unmet: Expectation | null) => callbackNote({ kind: "notAsExpected", status: 200, tookMs: 1, unmet });
  const differs: Expectation = { pointer: "/status", comparison: "differs", value: "busy" };
  expect(said(differs)).toContain("expects: /status is busy.");
  i18n.choose("zh-CN");
  try {
    expect(said(differs)).toContain("不符：/status 等于 busy。");
    for (const comparison of ["exists", "equals", "contains"] as const) {
      const words = said({ ...differs, comparison })?.replaceAll(/OSS|\/status|busy/g, "");
      expect(words).not.toMatch(/[A-Za-z]/);
    }
    expect(said(null)).toContain("响应不是 JSON");
  } finally {
    i18n.choose("en");
  }
});

test("a row is read out as name, state, percent", () => {
  expect(labelOf(row({ phase: "sending", sentBytes: 62e6 }))).toBe("a.mov, uploading, 62 percent, callback: Waiting for upload");
});

test("what can be done depends on the state; finishing and finished uploads are left alone", () => {
  const nothing = { pause: false, resume: false, retry: false, cancel: false, move: false };
  expect(possible(row({ phase: "queued" }))).toEqual({ ...nothing, pause: true, cancel: true, move: true });
  expect(possible(row({ phase: "sending" }))).toEqual({ ...nothing, pause: true, cancel: true });
  expect(possible(row({ phase: "paused" }))).toEqual({ ...nothing, resume: true, cancel: true, move: true });
  expect(possible(row({ phase: "failed" }))).toEqual({ ...nothing, retry: true, cancel: true });
  for (const phase of ["completing", "done", "cancelled"] as const) expect(possible(row({ phase }))).toEqual(nothing);
});

test("ten thousand parts become as many squares as fit, and a half-stored run is neither stored nor open", () => {
  const details = mockDetails(row({ phase: "sending", partsTotal: 10_000, partsDone: 5_010 }), undefined);
  const cells = partCells(details, 100);
  expect(cells).toHaveLength(100);
  expect(cells.slice(0, 50).every((cell) => cell === "stored")).toBe(true);
  expect(cells[50]).toBe("some");
  expect(cells[51]).toBe("open");
});
