import { parse, type AST } from "svelte/compiler";
import { afterEach, expect, test } from "vitest";

import { en, type Key } from "./en";
import { i18n, languageOf, t, tn } from "./index.svelte";
import { zhCN } from "./zh-CN";

afterEach(() => i18n.choose("system"));

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("zh-CN has exactly the keys of en", () => {
  expect(Object.keys(zhCN).sort()).toEqual(Object.keys(en).sort());
});

test("every text has the same placeholders in both languages, and is not empty", () => {
  for (const key of Object.keys(en) as Key[]) {
    expect(placeholders(zhCN[key]), key).toEqual(placeholders(en[key]));
    expect(zhCN[key].trim(), key).not.toBe("");
  }
});

test("a parameter takes its place, an unknown placeholder stays", () => {
  i18n.choose("en");
  expect(t("row.percent", { n: 62 })).toBe("62%");
  expect(t("destinations.templateHint", { n: 1 })).toContain("{path}");
});

test("one and several differ in English", () => {
  i18n.choose("en");
  expect(tn("added.queued", 1)).toBe("1 file queued");
  expect(tn("added.queued", 1200)).toBe("1,200 files queued");
});

test("the choice switches at once and is remembered", () => {
  i18n.choose("zh-CN");
  expect(t("nav.transfers")).toBe("传输");
  expect(localStorage.getItem("waybill.language")).toBe("zh-CN");
  i18n.choose("system");
  expect(localStorage.getItem("waybill.language")).toBeNull();
});

test("the system's first language that we have is taken", () => {
  expect(languageOf(["fr-FR", "zh-TW", "en"])).toBe("zh-CN");
  expect(languageOf(["de"])).toBe("en");
});

const components = import.meta.glob<string>("../**/*.svelte", { query: "?raw", import: "default", eager: true });
/** Attributes that a person reads or hears. */
const SPOKEN = new Set(["title", "placeholder", "aria-label", "alt", "label", "text", "hint"]);
/** Examples of values, the same in every language. */
const EXAMPLES = new Set(["https://api.example.com/oss/done", "x:job", "/status", "/job/id", "/oss/done?team=edit"]);

function spokenTexts(source: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== "object" || node === null) return;
    const { type } = node as { type?: string };
    if (type === "Text") found.push((node as AST.Text).data);
    if (type === "Attribute") {
      const attribute = node as AST.Attribute;
      const texts = Array.isArray(attribute.value) ? attribute.value.filter((part) => part.type === "Text") : [];
      if (SPOKEN.has(attribute.name)) found.push(...texts.map((part) => part.data));
      if (!Array.isArray(attribute.value)) visit(attribute.value);
      return;
    }
    for (const [name, child] of Object.entries(node)) if (name !== "parent") visit(child);
  };
  visit(parse(source, { modern: true }).fragment);
  return found.map((text) => text.trim()).filter((text) => /\p{L}{2}/u.test(text) && !EXAMPLES.has(text));
}

test("the search for hard-coded texts finds them", () => {
  expect(spokenTexts('<p title="Hello">{x} left</p>')).toEqual(["Hello", "left"]);
});

test.each(Object.keys(components).filter((path) => !path.endsWith(".test.svelte")))(
  "%s has no hard-coded words and at most 250 lines",
  (path) => {
    const source = components[path] ?? "";
    expect(spokenTexts(source).filter((text) => !/^oss:\/\//.test(text))).toEqual([]);
    expect(source).not.toContain("{@html");
    expect(source.split("\n").length).toBeLessThanOrEqual(251);
  },
);
