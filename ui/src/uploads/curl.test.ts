import { expect, test } from "vitest";

import { mockDetails } from "../backend/mockDetails";
import { mockDestinations, mockRow } from "../backend/mockWorld";
import type { CallbackRequestView } from "../bindings/CallbackRequestView";
import { curlOf, knownOf, quoted } from "./curl";

const KNOWN = new Map([["bucket", "b"], ["object", "a b/发.mov"], ["size", "7"], ["etag", "E"], ["reqId", "R1"]]);

function asked(some: Partial<CallbackRequestView> = {}) {
  const request: CallbackRequestView = {
    urls: ["https://api.example.com/done"], query: [], host: null, headers: [], bodyType: "application/x-www-form-urlencoded",
    body: "object=${object}", variables: [], sni: true, ...some,
  };
  return curlOf(request, KNOWN);
}

/** Reads a line as sh does, as far as single quotes and backslashes go. */
function wordsOf(command: string): string[] {
  const words = command.matchAll(/(?:'[^']*'|\\[^\n]|[^\s'\\])+/g);
  return [...words].map(([word]) => word.replace(/'([^']*)'|\\(.)/g, (_, inside?: string, escaped?: string) => inside ?? escaped ?? ""));
}

const after = (words: readonly string[], option: string) => words.filter((_, at) => words[at - 1] === option);

test("whatever stands in a body or a header reaches the server as one word, quotes and all", () => {
  const nasty = `it's "$HOME" \`id\` $(id) \\ !!\nnext ; rm -rf ~`;
  expect(wordsOf(quoted(nasty))).toEqual([nasty]);
  const words = wordsOf(asked({ body: nasty, headers: [{ name: "x-note", value: nasty }] }).command);
  expect(after(words, "--data-raw")).toEqual([nasty]);
  expect(after(words, "-H")).toContain(`x-note: ${nasty}`);
  expect(words.at(-1)).toBe("https://api.example.com/done");
});

test("a body that begins with @ is sent, not read from a file", () => {
  expect(asked({ body: "@/etc/passwd" }).command).toContain("--data-raw '@/etc/passwd'");
});

test("a form's values are escaped as OSS does it, JSON's are quoted and the size is a number", () => {
  const variables = [{ name: "x:who", value: 'O\'Neil "x" (1)*' }];
  expect(after(wordsOf(asked({ body: "o=${object}&w=${x:who}&s=${size}", variables }).command), "--data-raw")).toEqual([
    "o=a%20b%2F%E5%8F%91.mov&w=O%27Neil%20%22x%22%20%281%29%2A&s=7",
  ]);
  const json = asked({ bodyType: "application/json", body: '{"o":${object},"w":${x:who},"s":${size}}', variables });
  const body = after(wordsOf(json.command), "--data-raw")[0] ?? "";
  expect(JSON.parse(body)).toEqual({ o: "a b/发.mov", w: 'O\'Neil "x" (1)*', s: 7 });
});

test("what only OSS knows stays a variable and is named", () => {
  const { command, unknown } = asked({ body: "m=${mimeType}&c=${clientIp}&m2=${mimeType}" });
  expect(unknown).toEqual(["mimeType", "clientIp"]);
  expect(command).toContain("m=${mimeType}");
});

test("a value that holds a variable's name is not filled in again", () => {
  const variables = [{ name: "x:a", value: "${x:b}" }, { name: "x:b", value: "2" }];
  expect(after(wordsOf(asked({ body: "${x:a}", variables }).command), "--data-raw")).toEqual(["%24%7Bx%3Ab%7D"]);
});

test("no signature is in it, and what is named as a secret is starred wherever it stands", () => {
  const { command } = asked({
    urls: ["https://mei:hunter2@api.example.com/done?access_token=hunter2&a=1#frag"],
    query: [{ name: "api_key", value: "hunter2" }, { name: "job", value: "a&b" }],
    headers: [{ name: "Authorization", value: "Bearer hunter2" }, { name: "x-team", value: "video" }],
    body: "t=${x:token}&j=${x:job}",
    variables: [{ name: "x:token", value: "hunter2" }, { name: "x:job", value: "9" }],
  });
  expect(command).not.toMatch(/hunter2|mei|x-oss-pub-key-url/);
  const words = wordsOf(command);
  expect(words.at(-1)).toBe("https://api.example.com/done?access_token=***&a=1&api_key=%2A%2A%2A&job=a%26b");
  expect(after(words, "-H")).toEqual(expect.arrayContaining(["Authorization: ***", "x-team: video"]));
  expect(after(words, "--data-raw")).toEqual(["t=%2A%2A%2A&j=9"]);
});

test("an address without a scheme, with brackets, and a Host of its own are called as OSS calls them", () => {
  const words = wordsOf(asked({ urls: ["api.example.com:8080/a[1]"], host: "front.example.com" }).command);
  expect(words.at(-1)).toBe("http://api.example.com:8080/a[1]");
  expect(words).toContain("-g");
  expect(after(words, "-H")).toContain("Host: front.example.com");
});

test("the call is filled in with what is stored, and one sent again is a CompleteMultipartUpload", () => {
  const row = mockRow({ no: 7, sizeBytes: 12, phase: "done", callback: { kind: "answered", status: 200, tookMs: 5 } });
  const details = mockDetails(row, mockDestinations()[1]);
  expect(knownOf(details).get("operation")).toBe("PutObject");
  expect(knownOf(details).get("crc64")).toBe("9223372036854775809");
  const again = { ...details, callback: { ...details.callback, calls: [...details.callback.calls, ...details.callback.calls] } };
  expect(knownOf(again).get("operation")).toBe("CompleteMultipartUpload");
  expect(knownOf({ ...details, object: null }).has("etag")).toBe(false);
});
