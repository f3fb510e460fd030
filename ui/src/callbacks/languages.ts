// The kinds of source text that a callback is read from and written as, under the names their people know.
import type { SnippetLanguage } from "../bindings/SnippetLanguage";

export const LANGUAGES: readonly SnippetLanguage[] = [
  "java", "php", "nodeJs", "python", "cSharp", "android", "ios", "cpp", "c", "ruby", "rest",
];

export const LANGUAGE_NAMES: Readonly<Record<SnippetLanguage, string>> = {
  java: "Java", php: "PHP", nodeJs: "Node.js", python: "Python", cSharp: "C#", android: "Android", ios: "iOS", cpp: "C++", c: "C",
  ruby: "Ruby", rest: "REST",
};
