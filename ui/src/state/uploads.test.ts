import { expect, test, vi } from "vitest";

import { MockBackend } from "../backend/mock";
import { mockRow } from "../backend/mockWorld";
import type { Changes } from "../bindings/Changes";
import type { UploadPage } from "../bindings/UploadPage";
import type { UploadRow } from "../bindings/UploadRow";
import { UploadsState } from "./uploads.svelte";

const changes = (some: Partial<Changes>): Changes => ({
  rows: [], reload: false, destinations: false, folders: false, lab: false, bytesPerSecond: 0, scanning: false, clockSkewSeconds: 0,
  storeProblem: null,
  counts: { all: 0, uploading: 0, waiting: 0, paused: 0, stored: 0, failed: 0, callbackFailed: 0, callingAgain: 0, calledAgain: 0, bytesLeft: 0 },
  ...some,
});

const batch = (number: number, from: number, count: number): UploadRow[] =>
  Array.from({ length: count }, (_, at) => mockRow({ no: from + at, batch: number }));

function list(rows: UploadRow[]) {
  const backend = new MockBackend({ world: { rows } });
  const onError = vi.fn();
  return { backend, onError, uploads: new UploadsState(backend, "transfers", onError) };
}

const numbers = (uploads: UploadsState) => uploads.rows.map((row) => row.no);

test("pages follow each other by cursor until there is no more", async () => {
  const { backend, uploads } = list([...batch(2, 150, 50), ...batch(1, 1, 130)]);
  await uploads.open();
  expect(uploads.rows).toHaveLength(100);
  await uploads.more();
  await uploads.more();
  expect(numbers(uploads)).toEqual([...batch(2, 150, 50), ...batch(1, 1, 130)].map((row) => row.no));
  expect(backend.queries.map((query) => query.after)).toEqual([null, { batch: 1, no: 50 }]);
});

test("changed rows are replaced where they stand", async () => {
  const { uploads } = list(batch(1, 1, 5));
  await uploads.open();
  uploads.apply(changes({ rows: [mockRow({ no: 4, phase: "sending", sentBytes: 7 }), mockRow({ no: 2, phase: "paused" })] }));
  expect(numbers(uploads)).toEqual([1, 2, 3, 4, 5]);
  expect(uploads.rows.map((row) => row.phase)).toEqual(["queued", "paused", "queued", "sending", "queued"]);
});

test("a row of a newer batch comes to the top, one behind the last page waits for its page", async () => {
  const { uploads } = list(batch(1, 1, 130));
  await uploads.open();
  uploads.apply(changes({ rows: [mockRow({ no: 200, batch: 2 }), mockRow({ no: 120, phase: "sending" })] }));
  expect(numbers(uploads)[0]).toBe(200);
  expect(numbers(uploads)).not.toContain(120);
  await uploads.more();
  expect(numbers(uploads).filter((no) => no === 120)).toHaveLength(1);
});

test("a row that no longer passes the filter leaves, one that begins to pass comes in order", async () => {
  const rows = batch(1, 1, 4).map((row) => ({ ...row, phase: row.no % 2 ? ("paused" as const) : ("queued" as const) }));
  const { uploads } = list(rows);
  await uploads.setFilter("paused");
  expect(numbers(uploads)).toEqual([1, 3]);
  uploads.apply(changes({ rows: [mockRow({ no: 3, phase: "queued" }), mockRow({ no: 2, phase: "paused" })] }));
  expect(numbers(uploads)).toEqual([1, 2]);
});

test("an answer to an older question is dropped", async () => {
  const { backend, uploads } = list(batch(1, 1, 3));
  let answerFirst: (page: UploadPage) => void = () => undefined;
  const real = backend.listUploads.bind(backend);
  vi.spyOn(backend, "listUploads").mockImplementationOnce(() => new Promise((resolve) => (answerFirst = resolve)));
  const first = uploads.open();
  backend.listUploads = real;
  await uploads.setSearch("C002");
  answerFirst({ rows: batch(9, 90, 2), next: null });
  await first;
  expect(numbers(uploads)).toEqual([2]);
});

test("a page that is older than an event does not undo the event", async () => {
  const { backend, uploads } = list(batch(1, 1, 3));
  await uploads.open();
  let answer: (page: UploadPage) => void = () => undefined;
  vi.spyOn(backend, "listUploads").mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  const reloaded = uploads.reload();
  uploads.apply(changes({ rows: [mockRow({ no: 2, phase: "done" })] }));
  answer({ rows: batch(1, 1, 3), next: null });
  await reloaded;
  expect(uploads.rows[1]?.phase).toBe("done");
});

test("a reload asks for as many rows as were loaded and keeps the cursor", async () => {
  const { backend, uploads } = list(batch(1, 1, 250));
  await uploads.open();
  await uploads.more();
  backend.queries.length = 0;
  await uploads.reload();
  expect(backend.queries.map((query) => query.limit)).toEqual([200]);
  await uploads.more();
  expect(uploads.rows).toHaveLength(250);
});

test("a page asked for before a reload does not join on to the reloaded rows", async () => {
  const { backend, uploads } = list(batch(1, 1, 250));
  await uploads.open();
  let answer: (page: UploadPage) => void = () => undefined;
  const late = backend.listUploads({ scope: "transfers", filter: "all", search: "", after: { batch: 1, no: 100 }, limit: 100 });
  vi.spyOn(backend, "listUploads").mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  const more = uploads.more();
  backend.world.rows = backend.world.rows.slice(1);
  await uploads.reload();
  answer(await late);
  await more;
  expect(numbers(uploads)).toEqual(batch(1, 2, 100).map((row) => row.no));
  await uploads.more();
  expect(numbers(uploads)).toEqual(batch(1, 2, 200).map((row) => row.no));
});

test("a refused page is told once and the list keeps its rows", async () => {
  const { backend, onError, uploads } = list(batch(1, 1, 130));
  await uploads.open();
  vi.spyOn(backend, "listUploads").mockRejectedValueOnce({ code: "store", message: "disk", requestId: null });
  await uploads.more();
  expect(onError).toHaveBeenCalledOnce();
  expect(uploads.rows).toHaveLength(100);
  expect(uploads.loading).toBe(false);
});

test("the selection moves by rows and stops at the ends", async () => {
  const { uploads } = list(batch(1, 1, 3));
  await uploads.open();
  uploads.move(1);
  expect(uploads.selected).toBe(1);
  uploads.move(5);
  expect(uploads.selected).toBe(3);
  uploads.move(-1);
  expect(uploads.selectedRow?.no).toBe(2);
});

test("a list is complete when the last page of its present question is there, and not before", async () => {
  const { uploads } = list(batch(1, 1, 130));
  await uploads.open();
  expect(uploads.complete).toBe(false);
  await uploads.more();
  expect(uploads.complete).toBe(true);
  const answered = uploads.setFilter("waiting");
  expect(uploads.complete).toBe(false);
  await answered;
  expect(uploads.complete).toBe(false);
  await uploads.setSearch("C002");
  expect(uploads.complete).toBe(true);
});
