// Wishes for one row and for all that is shown, over an invented world.
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import App from "../App.svelte";
import { MockBackend } from "../backend/mock";
import { mockRow } from "../backend/mockWorld";
import type { UploadRow } from "../bindings/UploadRow";
import { i18n } from "../i18n/index.svelte";
import { AppState } from "../state/app.svelte";

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

async function open(rows: UploadRow[]) {
  const backend = new MockBackend({ world: { rows } });
  const app = new AppState(backend);
  render(App, { props: { app } });
  await waitFor(() => expect(app.info).not.toBeNull());
  await screen.findAllByTestId("upload-row");
  const phases = () => backend.world.rows.map((row) => row.phase);
  const waiting = () => backend.line.waiting(backend.world.rows).map((row) => row.no);
  return { app, backend, phases, waiting };
}

const many = (count: number, some: Partial<UploadRow> = {}) =>
  Array.from({ length: count }, (_, at) => mockRow({ no: at + 1, ...some }));
const row = (no: number) => screen.getAllByTestId("upload-row").find((one) => one.dataset["no"] === String(no)) as HTMLElement;
const offered = () => screen.getAllByRole("menuitem").map((item) => item.dataset["testid"]);

async function shown(id: string) {
  await fireEvent.click(screen.getByTestId("shown-menu"));
  await fireEvent.click(screen.getByTestId(id));
}

test("pausing all shown leaves alone what the search hides", async () => {
  const { app, phases } = await open([
    mockRow({ no: 1, key: "cam-a/1" }), mockRow({ no: 2, key: "cam-b/2" }), mockRow({ no: 3, key: "cam-b/3", phase: "sending" }),
  ]);
  await app.lists.transfers.setSearch(" cam-b ");
  await shown("menu-pause");
  await waitFor(() => expect(phases()).toEqual(["queued", "paused", "paused"]));
});

test("retrying all shown under a filter asks for that filter", async () => {
  const { app, backend } = await open([mockRow({ no: 1, phase: "failed" }), mockRow({ no: 2 })]);
  const wished = vi.spyOn(backend, "wishMany");
  await app.lists.transfers.setFilter("failed");
  await shown("menu-retry");
  expect(wished).toHaveBeenCalledExactlyOnceWith({ filter: "failed", search: "", batch: null, numbers: [] }, "retry");
});

test("cancelling all shown says how many and what is lost; a no leaves all as it is", async () => {
  const { phases } = await open([...many(2), mockRow({ no: 3, phase: "done" }), mockRow({ no: 4, phase: "completing" })]);
  await shown("menu-cancel");
  const question = await screen.findByTestId("confirm");
  for (const part of ["Cancel 2 uploads?", "files on your disk stay", "removed from OSS"]) expect(question.textContent).toContain(part);
  await fireEvent.click(screen.getByTestId("confirm-no"));
  expect(phases()).toEqual(["queued", "queued", "done", "completing"]);
  await shown("menu-cancel");
  await fireEvent.click(await screen.findByTestId("confirm-yes"));
  await waitFor(() => expect(phases()).toEqual(["cancelled", "cancelled", "done", "completing"]));
});

test("cancelling what a search finds beyond the loaded page counts to its end before it asks", async () => {
  const { app } = await open([...many(1200, { key: "raw/x" }), ...many(3, { key: "other" }).map((one) => ({ ...one, no: one.no + 2000 }))]);
  await app.lists.transfers.setSearch("raw");
  expect(app.lists.transfers.rows.length).toBeLessThan(1200);
  await shown("menu-cancel");
  expect((await screen.findByTestId("confirm")).textContent).toContain("Cancel 1,200 uploads?");
});

test("a search that finds more than can be counted says more than, and cancels nothing unasked", async () => {
  const { app, backend, phases } = await open(many(300, { key: "raw/x" }));
  await app.lists.transfers.setSearch("raw");
  const endless = { batch: 1, no: 1 };
  vi.spyOn(backend, "listUploads").mockImplementation(async () => ({ rows: many(500), next: endless }));
  await shown("menu-cancel");
  expect((await screen.findByTestId("confirm")).textContent).toContain("Cancel more than 10,000 uploads?");
  expect(new Set(phases())).toEqual(new Set(["queued"]));
});

test("a list that cannot be counted is told as a failure, and nothing is cancelled", async () => {
  const { app, backend, phases } = await open(many(300, { key: "raw/x" }));
  await app.lists.transfers.setSearch("raw");
  vi.spyOn(backend, "listUploads").mockRejectedValue({ code: "store", message: "disk", requestId: null });
  await shown("menu-cancel");
  expect((await screen.findByRole("alert")).textContent).toContain("disk");
  expect(screen.queryByTestId("confirm")).toBeNull();
  expect(phases()[0]).toBe("queued");
});

test("only what fits is offered for all shown, and only copies where all is stored", async () => {
  const { app } = await open([mockRow({ no: 1, phase: "paused" }), mockRow({ no: 2, phase: "done" })]);
  await fireEvent.click(screen.getByTestId("shown-menu"));
  expect(offered()).toEqual(["menu-resume", "menu-inOrder", "menu-csv", "menu-csv-file", "menu-cancel"]);
  await fireEvent.keyDown(screen.getByTestId("menu"), { key: "Escape" });
  await app.lists.transfers.setFilter("paused");
  await fireEvent.click(screen.getByTestId("shown-menu"));
  expect(offered()).toEqual(["menu-resume", "menu-first", "menu-last", "menu-inOrder", "menu-csv", "menu-csv-file", "menu-cancel"]);
  await fireEvent.keyDown(screen.getByTestId("menu"), { key: "Escape" });
  await app.lists.transfers.setFilter("stored");
  await fireEvent.click(screen.getByTestId("shown-menu"));
  expect(offered()).toEqual(["menu-csv", "menu-csv-file"]);
});

test("without a search the menu's numbers are those of the whole queue, not of the loaded page", async () => {
  await open([...many(300), mockRow({ no: 400, phase: "failed" })]);
  await fireEvent.click(screen.getByTestId("shown-menu"));
  expect(screen.getByTestId("menu-pause").textContent).toContain("300");
  expect(screen.getByTestId("menu-retry").textContent).toContain("1");
});

test("a search that is not answered to its end says at least how many it found", async () => {
  const { app } = await open(many(300, { key: "raw/x" }));
  await app.lists.transfers.setSearch("raw");
  await fireEvent.click(screen.getByTestId("shown-menu"));
  expect(screen.getByTestId("menu-pause").textContent).toMatch(/\d00\+$/);
});

test("all that a search found moves to the back of the line", async () => {
  const { app, waiting } = await open([mockRow({ no: 1, key: "cam-a/1" }), mockRow({ no: 2, key: "cam-b/2" })]);
  await app.lists.transfers.setSearch("cam-a");
  await shown("menu-last");
  await waitFor(() => expect(waiting()).toEqual([2, 1]));
  expect((await screen.findByTestId("toast")).textContent).toContain("Moved behind all others that wait");
});

test("a waiting row moves to the front by its menu, and a message says so", async () => {
  const { waiting } = await open(many(3));
  await fireEvent.contextMenu(row(3));
  await fireEvent.click(screen.getByTestId("menu-first"));
  await waitFor(() => expect(waiting()).toEqual([3, 1, 2]));
  expect((await screen.findByTestId("toast")).textContent).toContain("Moved before all others that wait");
});

test("a stored row cannot be moved, neither by menu nor by key", async () => {
  const { backend } = await open([mockRow({ no: 1, phase: "done" })]);
  const wished = vi.spyOn(backend, "wishMany");
  await fireEvent.contextMenu(row(1));
  expect(offered()).toEqual(["menu-details", "menu-reveal", "menu-copy-url"]);
  await fireEvent.keyDown(screen.getByTestId("menu"), { key: "Escape" });
  await fireEvent.keyDown(screen.getByRole("listbox"), { key: "ArrowUp", ctrlKey: true });
  expect(wished).not.toHaveBeenCalled();
});

test("the modifier with an arrow moves the selected row in the line, not the selection", async () => {
  const { app, waiting } = await open(many(3));
  app.lists.transfers.select(2);
  await fireEvent.keyDown(screen.getByRole("listbox"), { key: "ArrowUp", ctrlKey: true });
  await waitFor(() => expect(waiting()).toEqual([2, 1, 3]));
  await fireEvent.keyDown(screen.getByRole("listbox"), { key: "ArrowDown", metaKey: true });
  await waitFor(() => expect(waiting()).toEqual([1, 3, 2]));
  expect(app.lists.transfers.selected).toBe(2);
});

test("a row that starts while its menu is open does not change the menu under the pointer", async () => {
  const { backend } = await open(many(1));
  await fireEvent.contextMenu(row(1));
  const before = offered();
  backend.emit({ rows: [mockRow({ no: 1, phase: "sending" })] });
  await waitFor(() => expect(row(1).dataset["phase"]).toBe("sending"));
  expect(offered()).toEqual(before);
});

test("the menu opens by key, is walked by arrows, and Escape closes it alone and gives the focus back", async () => {
  const { app } = await open(many(2));
  const list = screen.getByRole("listbox");
  list.focus();
  await fireEvent.keyDown(list, { key: "ArrowDown" });
  await fireEvent.keyDown(list, { key: "Enter" });
  await screen.findByTestId("inspector");
  await fireEvent.keyDown(list, { key: "F10", shiftKey: true });
  const focused = () => (document.activeElement as HTMLElement).dataset["testid"];
  expect(focused()).toBe("menu-details");
  await fireEvent.keyDown(screen.getByTestId("menu-details"), { key: "ArrowUp" });
  expect(focused()).toBe("menu-cancel");
  await fireEvent.keyDown(screen.getByTestId("menu-cancel"), { key: "ArrowDown" });
  expect(focused()).toBe("menu-details");
  await fireEvent.keyDown(screen.getByTestId("menu-details"), { key: "Escape" });
  await waitFor(() => expect(screen.queryByTestId("menu")).toBeNull());
  expect(document.activeElement).toBe(list);
  expect(app.details.no).toBe(1);
});
