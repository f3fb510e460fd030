// The language of the window: which one, and its words. Reading a text in a component makes it follow a switch.
import { en, type Key, type Words } from "./en";
import { zhCN } from "./zh-CN";

export type { Key } from "./en";
export type Language = "en" | "zh-CN";
export type LanguageChoice = "system" | Language;
type Params = Record<string, string | number>;

const STORED_UNDER = "waybill.language";
export const LANGUAGES: Record<Language, { words: Words; ownName: string }> = {
  en: { words: en, ownName: "English" },
  "zh-CN": { words: zhCN, ownName: "简体中文" },
};

/** The language a system asks for, of those we have. */
export function languageOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    if (tag.toLowerCase().startsWith("zh")) return "zh-CN";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

function remembered(): LanguageChoice {
  const stored = localStorage.getItem(STORED_UNDER);
  return stored === "en" || stored === "zh-CN" ? stored : "system";
}

class I18n {
  choice = $state<LanguageChoice>(remembered());
  language: Language = $derived(this.choice === "system" ? languageOf(navigator.languages) : this.choice);

  choose(choice: LanguageChoice): void {
    this.choice = choice;
    if (choice === "system") localStorage.removeItem(STORED_UNDER);
    else localStorage.setItem(STORED_UNDER, choice);
  }
}

export const i18n = new I18n();

/** The text for a key, with `{name}` replaced by the parameter of that name. */
export function t(key: Key, params?: Params): string {
  const text = LANGUAGES[i18n.language].words[key];
  if (!params) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole));
}

/** Keys that have a text for one and a text for several. */
export type PluralKey = Key extends infer K ? (K extends `${infer Stem}.one` ? Stem : never) : never;

/** The text for a number of things. */
export function tn(stem: PluralKey, n: number, params?: Params): string {
  const form = new Intl.PluralRules(i18n.language).select(n) === "one" ? "one" : "other";
  return t(`${stem}.${form}` as Key, { ...params, n: new Intl.NumberFormat(i18n.language).format(n) });
}
