// What stands in the callback editor, and how it becomes what is studied and saved. Pure.
import type { CallbackProfileForm } from "../bindings/CallbackProfileForm";
import type { CallbackProfileView } from "../bindings/CallbackProfileView";
import type { Variable } from "../bindings/Variable";

export interface CallbackDraft {
  /** Null until it is saved for the first time. */
  id: string | null;
  name: string;
  form: CallbackProfileForm;
}

export const LARGEST_URLS = 5;
export const LARGEST_HEADERS = 10;

/** Tells the same upload from another one, so that a server called twice can see it. */
export const IDEMPOTENCY: Readonly<Variable> = { name: "x:upload_no", value: "{uploadNo}-{uuid}" };

export function newForm(): CallbackProfileForm {
  const body = ['  "bucket": ${bucket},', '  "object": ${object},', '  "size": ${size},', '  "etag": ${etag},', '  "waybill": ${x:upload_no}'];
  return {
    urls: [""], host: "", body: ["{", ...body, "}"].join("\n"), bodyType: "json", sni: true, variables: [{ ...IDEMPOTENCY }],
    query: [], headers: [], bestEffort: false, expectations: [], columns: [],
  };
}

export function draftOf({ id, name, form }: CallbackProfileView): CallbackDraft {
  return { id, name, form: withLine(structuredClone(form)) };
}

/** There is always a line to type an address into. */
export function withLine(form: CallbackProfileForm): CallbackProfileForm {
  return form.urls.length > 0 ? form : { ...form, urls: [""] };
}

function withoutEmptyEnd<Item>(items: readonly Item[], empty: (item: Item) => boolean): Item[] {
  let end = items.length;
  while (end > 0 && empty(items[end - 1] as Item)) end -= 1;
  return items.slice(0, end);
}

const emptyText = (text: string) => text.trim() === "";
const emptyPair = (pair: Variable) => emptyText(pair.name) && emptyText(pair.value);

/** What the linter looks at: rows keep their places, so that a finding points at the right one. */
export function studiedForm(form: CallbackProfileForm): CallbackProfileForm {
  return {
    ...form,
    urls: withoutEmptyEnd(form.urls, emptyText),
    query: withoutEmptyEnd(form.query, emptyPair),
    headers: withoutEmptyEnd(form.headers, emptyPair),
    variables: withoutEmptyEnd(form.variables, emptyPair),
  };
}

/** What is saved: blanks around pasted values are never meant, and empty rows say nothing. */
export function savedForm(form: CallbackProfileForm): CallbackProfileForm {
  const pairs = (all: readonly Variable[]) =>
    all.filter((pair) => !emptyPair(pair)).map(({ name, value }) => ({ name: name.trim(), value }));
  return {
    ...form,
    urls: form.urls.map((url) => url.trim()).filter((url) => url !== ""),
    host: form.host.trim(),
    query: pairs(form.query),
    headers: pairs(form.headers),
    variables: pairs(form.variables),
    expectations: form.expectations.filter(({ pointer }) => !emptyText(pointer)),
    columns: form.columns.filter(({ title, pointer }) => !emptyText(title) || !emptyText(pointer)),
  };
}

/** Two drafts that print alike would be saved alike. */
export function printed(draft: CallbackDraft): string {
  const { urls, host, body, bodyType, sni, variables, query, headers, bestEffort, expectations, columns } = savedForm(draft.form);
  return JSON.stringify([draft.name.trim(), urls, host, body, bodyType, sni, variables, query, headers, bestEffort, expectations, columns]);
}
