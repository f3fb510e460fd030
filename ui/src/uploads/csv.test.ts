import { beforeEach, expect, test, vi } from "vitest";

import { MockBackend } from "../backend/mock";
import { mockRow } from "../backend/mockWorld";
import { i18n } from "../i18n/index.svelte";
import * as clipboard from "../shared/clipboard";
import { AppState } from "../state/app.svelte";
import { copyCsv, csvOf, saveCsv } from "./csv";

beforeEach(() => i18n.choose("en"));

const answered = { kind: "answered", status: 200, tookMs: 84 } as const;

test("rows with different columns share one head, and a missing one stays empty", () => {
  const rows = [
    mockRow({ no: 1, name: "a.mov", key: "k/a.mov", phase: "done", callback: answered, columns: [{ name: "Job", value: "7" }] }),
    mockRow({ no: 2, name: "b.mov", key: "k/b.mov", phase: "done", callback: answered, columns: [{ name: "Link", value: "https://x" }] }),
  ];
  expect(csvOf(rows).split("\r\n")).toEqual([
    "File,Key,State,Callback,Job,Link",
    "a.mov,k/a.mov,Stored,200 in 84 ms,7,",
    "b.mov,k/b.mov,Stored,200 in 84 ms,,https://x",
  ]);
});

test("commas, quotes and line breaks stay in their cell", () => {
  const row = mockRow({ no: 1, name: 'a, "b"\nc.mov', key: "k" });
  expect(csvOf([row]).split("\r\n")[1]).toBe('"a, ""b""\nc.mov",k,Waiting,Waiting for upload');
});

test("an answer that is a formula is a text in the spreadsheet, and a negative number stays one", () => {
  const columns = ["=HYPERLINK(1)", "+1", "@x", "-cmd", "-12.5"].map((value, at) => ({ name: `c${at}`, value }));
  const line = csvOf([mockRow({ no: 1, name: "n", key: "k", columns })]).split("\r\n")[1];
  expect(line).toBe("n,k,Waiting,Waiting for upload,'=HYPERLINK(1),'+1,'@x,'-cmd,-12.5");
});

test("the copy holds rows that are not loaded yet", async () => {
  const copied = vi.spyOn(clipboard, "copyText").mockResolvedValue(true);
  const rows = Array.from({ length: 230 }, (_, at) => mockRow({ no: at + 1 }));
  const app = new AppState(new MockBackend({ world: { rows } }));
  await app.lists.transfers.open();
  expect(app.lists.transfers.rows.length).toBeLessThan(230);
  await copyCsv(app, app.lists.transfers);
  expect(copied.mock.calls[0]?.[0].split("\r\n")).toHaveLength(231);
  expect(app.toasts[0]?.title).toBe("230 rows are in the clipboard, as CSV");
  expect(app.toasts[0]?.lines).toEqual([]);
});

test("the file holds rows that are not loaded yet, and tells a spreadsheet that it is UTF-8", async () => {
  const rows = Array.from({ length: 230 }, (_, at) => mockRow({ no: at + 1, name: "发布会.mov" }));
  const backend = new MockBackend({ world: { rows } });
  const app = new AppState(backend);
  await app.lists.transfers.open();
  await saveCsv(app, app.lists.transfers);
  const text = backend.files.get("waybill-transfers.csv");
  expect(text?.startsWith("\uFEFFFile,Key,")).toBe(true);
  expect(text?.split("\r\n")).toHaveLength(231);
  expect(app.toasts[0]).toMatchObject({ title: "Saved", lines: ["/home/mei/Downloads/waybill-transfers.csv", "230 rows"] });
});
