import { expect, test } from "vitest";

import { prettyJson, templateJson, templateTokens, type Token } from "./json";

const text = (tokens: readonly Token[] | null) => tokens?.map((token) => token.text).join("") ?? null;
const of = (kind: string, tokens: readonly Token[] | null) =>
  tokens?.filter((token) => token.kind === kind).map((token) => token.text) ?? [];

test("JSON is indented and its values are marked", () => {
  const tokens = prettyJson('{"ok":true,"n":[1,-2.5e3],"empty":{},"none":[],"s":"a:b, {\\"c\\"}"}');
  expect(text(tokens)).toBe(
    '{\n  "ok": true,\n  "n": [\n    1,\n    -2.5e3\n  ],\n  "empty": {},\n  "none": [],\n  "s": "a:b, {\\"c\\"}"\n}',
  );
  expect(of("key", tokens)).toEqual(['"ok"', '"n"', '"empty"', '"none"', '"s"']);
  expect(of("string", tokens)).toEqual(['"a:b, {\\"c\\"}"']);
  expect(of("number", tokens)).toEqual(["1", "-2.5e3"]);
  expect(of("word", tokens)).toEqual(["true"]);
});

test("numbers beyond 2^53 keep every digit", () => {
  expect(of("number", prettyJson('{"crc64":18446744073709551615}'))).toEqual(["18446744073709551615"]);
});

test.each(["<html>502</html>", "{broken", "", '{"a":1} trailing'])("%s is not JSON", (answer) =>
  expect(prettyJson(answer)).toBeNull(),
);

test("variables of a form body are marked, the rest is kept", () => {
  const tokens = templateTokens("bucket=${bucket}&job=${x:job}&plain=$5");
  expect(text(tokens)).toBe("bucket=${bucket}&job=${x:job}&plain=$5");
  expect(of("variable", tokens)).toEqual(["${bucket}", "${x:job}"]);
});

test("a JSON body with bare variables is indented", () => {
  const tokens = templateJson('{"bucket":${bucket},"fixed":"x","n":7,"job":${x:job}}');
  expect(text(tokens)).toBe('{\n  "bucket": ${bucket},\n  "fixed": "x",\n  "n": 7,\n  "job": ${x:job}\n}');
  expect(of("variable", tokens)).toEqual(["${bucket}", "${x:job}"]);
});

test("a JSON body that would not be JSON is shown as it was written", () => {
  const body = '{"type":"${mimeType}"}';
  expect(text(templateJson(body))).toBe(body);
});
