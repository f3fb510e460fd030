// What a list shows, as CSV for a spreadsheet: name, key, state, callback, and the columns taken from answers.
import type { UploadRow } from "../bindings/UploadRow";
import { t, tn } from "../i18n/index.svelte";
import { copyText } from "../shared/clipboard";
import type { AppState } from "../state/app.svelte";
import type { UploadsState } from "../state/uploads.svelte";
import { saveText } from "./saving";
import { pillOf } from "./words";

/** Neither a clipboard nor a spreadsheet is a place for a million rows. */
const MOST_ROWS = 10_000;

/** Says to a spreadsheet that the text is UTF-8. */
const MARK = "\uFEFF";

/** The rows of the list, also those that are not loaded yet, to the clipboard. */
export async function copyCsv(app: AppState, list: UploadsState): Promise<void> {
  const { rows, notes } = await rowsOf(list);
  if (await copyText(csvOf(rows))) app.say("info", tn("export.copied", rows.length), notes);
  else app.say("bad", t("export.failed"));
}

/** The same into a file. */
export async function saveCsv(app: AppState, list: UploadsState): Promise<void> {
  const { rows, notes } = await rowsOf(list);
  await saveText(app, `waybill-${list.scope}.csv`, MARK + csvOf(rows), [tn("export.rows", rows.length), ...notes]);
}

async function rowsOf(list: UploadsState): Promise<{ rows: readonly UploadRow[]; notes: string[] }> {
  for (let before = -1; !list.complete && list.rows.length > before && list.rows.length < MOST_ROWS; ) {
    before = list.rows.length;
    await list.more();
  }
  const rows = list.rows.slice(0, MOST_ROWS);
  const all = list.complete && rows.length === list.rows.length;
  return { rows, notes: all ? [] : [t("export.most")] };
}

export function csvOf(rows: readonly UploadRow[]): string {
  const titles = [...new Set(rows.flatMap((row) => row.columns.map(({ name }) => name)))];
  const head = [t("list.file"), t("export.key"), t("inspector.state"), t("list.callback"), ...titles];
  const line = (row: UploadRow) => [
    row.name,
    row.key,
    t(`phase.${row.phase}`),
    pillOf(row.callback).text,
    ...titles.map((title) => row.columns.find(({ name }) => name === title)?.value ?? ""),
  ];
  return [head, ...rows.map(line)].map((cells) => cells.map(cell).join(",")).join("\r\n");
}

function cell(text: string): string {
  // An answer is foreign: a spreadsheet takes what begins so for a formula and would run it.
  const harmless = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
