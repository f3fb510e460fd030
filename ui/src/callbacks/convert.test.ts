import { expect, test } from "vitest";

import { convertBody } from "./convert";

const toJson = (body: string) => convertBody(body, "form", "json");
const toForm = (body: string) => convertBody(body, "json", "form")?.body;

test("a form keeps its fields as JSON: variables bare, texts quoted and decoded", () => {
  expect(toJson("bucket=${bucket}&note=a%20%22b%22+c&job=${x:job}&empty=")).toEqual({
    body: '{\n  "bucket": ${bucket},\n  "note": "a \\"b\\" c",\n  "job": ${x:job},\n  "empty": ""\n}',
    mixed: [],
  });
});

test("JSON keeps its fields as a form: texts are encoded, long numbers are not rounded", () => {
  expect(toForm('{"bucket":${bucket},"id":18446744073709551615,"ok":true,"note":"发布 &"}')).toBe(
    "bucket=${bucket}&id=18446744073709551615&ok=true&note=%E5%8F%91%E5%B8%83%20%26",
  );
});

test("a variable that was quoted in JSON is a variable in the form", () => {
  expect(toForm('{"type":"${mimeType}"}')).toBe("type=${mimeType}");
});

test("a mixture of text and variable becomes a list, is named, and comes back as it was", () => {
  const there = toJson("path=oss%3A//${bucket}/${object}");
  expect(there).toEqual({ body: '{\n  "path": ["oss://", ${bucket}, "/", ${object}]\n}', mixed: ["path"] });
  expect(toForm(there?.body ?? "")).toBe("path=oss%3A%2F%2F${bucket}%2F${object}");
});

test("nested objects become dotted fields, and a repeated field keeps both values", () => {
  expect(toForm('{"file":{"name":${object},"size":${size}}}')).toBe("file.name=${object}&file.size=${size}");
  expect(toJson("tag=a&tag=b")?.body).toBe('{\n  "tag": "a",\n  "tag_2": "b"\n}');
});

test("there and back again a form of every kind of value is the same", () => {
  const form = "bucket=${bucket}&a%20b=c%26d&image=${imageInfo.width}&no=${x:upload_no}&empty=";
  expect(toForm(toJson(form)?.body ?? "")).toBe(form);
});

test("what cannot be read is not converted, and so not lost", () => {
  expect(convertBody("not json", "json", "form")).toBeNull();
  expect(convertBody("[1]", "json", "form")).toBeNull();
  expect(convertBody("a=%E0%A4%A", "form", "json")).toBeNull();
});
