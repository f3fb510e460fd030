// The window over an invented world: drops, keyboard, filters, pages.
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import App from "./App.svelte";
import { MockBackend } from "./backend/mock";
import { mockRow } from "./backend/mockWorld";
import type { UploadRow } from "./bindings/UploadRow";
import { i18n } from "./i18n/index.svelte";
import { AppState } from "./state/app.svelte";

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

async function open(rows?: UploadRow[]) {
  const backend = new MockBackend(rows ? { world: { rows } } : {});
  const app = new AppState(backend);
  render(App, { props: { app } });
  await waitFor(() => expect(app.info).not.toBeNull());
  return { app, backend };
}

const rows = () => screen.getAllByTestId("upload-row");
const listbox = () => screen.getByRole("listbox");

test("a stored row with a failed callback shows both", async () => {
  await open([
    mockRow({ no: 3, phase: "done", callback: { kind: "failed", ec: null, message: "Error status : 502." } }),
  ]);
  const row = screen.getByTestId("upload-row");
  expect(row.dataset).toMatchObject({ no: "3", phase: "done", callback: "failed" });
  expect(within(row).getByTestId("row-progress").textContent).toContain("Stored, verified");
  expect(within(row).getByTestId("row-callback").textContent).toBe("502 from server");
  expect(screen.getByTestId("nav-callbacks").textContent).toContain("1 failed");
});

test("what the profile takes out of the answer stands in the row", async () => {
  await open([
    mockRow({ no: 4, phase: "done", callback: { kind: "answered", status: 200, tookMs: 9 }, columns: [{ name: "Job", value: "7f3c" }] }),
  ]);
  expect(screen.getByTestId("row-columns").textContent).toBe("Job: 7f3c");
});

test("while nothing can be saved the footer says so, and why, until it can", async () => {
  const { backend } = await open();
  expect(screen.queryByTestId("store-problem")).toBeNull();
  backend.emit({ storeProblem: { code: "diskFull", message: "database or disk is full", requestId: null, ec: null } });
  const notice = await screen.findByTestId("store-problem");
  for (const part of ["uploads wait", "data folder is full", "goes on by itself"]) expect(notice.textContent).toContain(part);
  backend.emit({});
  await waitFor(() => expect(screen.queryByTestId("store-problem")).toBeNull());
});

test("messages stand in the sidebar, where they cover nothing, the newest first", async () => {
  const { app } = await open();
  app.say("info", "older");
  app.say("info", "newer");
  const messages = await within(screen.getByRole("navigation")).findAllByTestId("toast");
  expect(messages.map((message) => message.textContent?.trim())).toEqual(["newer", "older"]);
});

test("only the rows in sight are drawn, and scrolling asks for the next page with the cursor", async () => {
  const { backend } = await open(Array.from({ length: 300 }, (_, at) => mockRow({ no: at + 1 })));
  expect(rows().length).toBeLessThan(40);
  backend.queries.length = 0;
  const list = listbox();
  list.scrollTop = 80 * 56;
  await fireEvent.scroll(list);
  await waitFor(() => expect(backend.queries.map((query) => query.after)).toEqual([{ batch: 1, no: 100 }]));
  expect(rows()[0]?.dataset["no"]).not.toBe("1");
});

test("files over the window show where they go; release queues them and tells what was refused", async () => {
  const { backend } = await open();
  const added = vi.spyOn(backend, "addPaths");
  backend.drop({ kind: "enter", paths: ["/a.mov", "/b.sock"] });
  const overlay = await screen.findByTestId("drop-overlay");
  for (const part of ["2 items", "media-prod", "raw/{yyyy}/{mm}/{path}", "https://api.example.com/oss/done"]) {
    expect(overlay.textContent).toContain(part);
  }
  backend.drop({ kind: "drop", paths: ["/a.mov", "/b.sock"] });
  await waitFor(() => expect(screen.queryByTestId("drop-overlay")).toBeNull());
  expect(added).toHaveBeenCalledExactlyOnceWith(["/a.mov", "/b.sock"], null, null);
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("/b.sock: Not a file that can be uploaded (a socket)");
  await waitFor(() => expect(rows()[0]?.textContent).toContain("a.mov"));
});

test("leaving the window with the files takes the overlay away and queues nothing", async () => {
  const { backend } = await open();
  const added = vi.spyOn(backend, "addPaths");
  backend.drop({ kind: "enter", paths: ["/a.mov"] });
  await screen.findByTestId("drop-overlay");
  backend.drop({ kind: "leave" });
  await waitFor(() => expect(screen.queryByTestId("drop-overlay")).toBeNull());
  expect(added).not.toHaveBeenCalled();
});

test("the keyboard selects, pauses, opens, retries and closes", async () => {
  const { app, backend } = await open([
    mockRow({ no: 1, phase: "sending" }),
    mockRow({ no: 2, phase: "failed", problem: { code: "network", message: "m", requestId: null, ec: null } }),
  ]);
  const pause = vi.spyOn(backend, "pauseUpload");
  const resume = vi.spyOn(backend, "resumeUpload");
  const retry = vi.spyOn(backend, "retryUpload");
  await fireEvent.keyDown(listbox(), { key: "ArrowDown" });
  expect(rows()[0]?.getAttribute("aria-selected")).toBe("true");
  await fireEvent.keyDown(listbox(), { key: " " });
  expect(pause).toHaveBeenCalledWith(1);
  await waitFor(() => expect(rows()[0]?.dataset["phase"]).toBe("paused"));
  await fireEvent.keyDown(listbox(), { key: " " });
  expect(resume).toHaveBeenCalledWith(1);
  await fireEvent.keyDown(listbox(), { key: "ArrowDown" });
  expect(listbox().getAttribute("aria-activedescendant")).toBe("upload-2");
  await fireEvent.keyDown(listbox(), { key: "Enter" });
  expect((await screen.findByTestId("inspector")).dataset["no"]).toBe("2");
  await fireEvent.keyDown(listbox(), { key: "r", ctrlKey: true });
  expect(retry).toHaveBeenCalledWith(2);
  await fireEvent.keyDown(window, { key: "Escape" });
  await waitFor(() => expect(screen.queryByTestId("inspector")).toBeNull());
  expect(app.lists.transfers.selected).toBe(2);
});

test("a chip filters, and an empty result offers the way back", async () => {
  const { backend } = await open([mockRow({ no: 1 })]);
  await fireEvent.click(screen.getByTestId("filter-failed"));
  expect(backend.queries.at(-1)?.filter).toBe("failed");
  await fireEvent.click(await screen.findByText("Show all"));
  await screen.findByTestId("upload-row");
});

test("a command that fails is told with what happened, safety, advice and request id", async () => {
  const { backend } = await open();
  const error = { code: "accessDenied", message: "pausing", requestId: "REQ-9" };
  vi.spyOn(backend, "pauseAll").mockRejectedValueOnce(error);
  await fireEvent.click(screen.getByTestId("pause-all"));
  const alert = await screen.findByRole("alert");
  for (const part of ["The AccessKey may not do this", "untouched", "oss:PutObject", "pausing", "REQ-9"]) {
    expect(alert.textContent).toContain(part);
  }
});

test("history asks for what is final and has its own list", async () => {
  const { backend } = await open();
  await fireEvent.click(screen.getByTestId("nav-history"));
  await screen.findByTestId("history-list");
  await waitFor(() => expect(rows().every((row) => ["done", "failed", "cancelled"].includes(row.dataset["phase"] ?? ""))).toBe(true));
  expect(backend.queries.at(-1)?.scope).toBe("history");
});

test("a watched folder is added, paused and removed after a question", async () => {
  const { backend } = await open();
  backend.world.folders = [];
  await fireEvent.click(screen.getByTestId("nav-folders"));
  await fireEvent.click(screen.getByTestId("folder-add"));
  await fireEvent.click(screen.getByTestId("folder-choose"));
  await fireEvent.click(screen.getByTestId("folder-existing"));
  const saved = vi.spyOn(backend, "saveWatchedFolder");
  await fireEvent.submit(screen.getByTestId("folder-form"));
  expect(saved).toHaveBeenCalledExactlyOnceWith({
    id: null, path: "/home/mei/footage/new", destinationId: "media", prefix: "", callbackProfileId: null,
    includeExisting: true,
  });
  const row = await screen.findByTestId("folder-row");
  expect(row.textContent).toContain("3 settling");
  await fireEvent.click(within(row).getByTestId("folder-pause"));
  await waitFor(() => expect(screen.getByTestId("folder-row").dataset["state"]).toBe("paused"));
  await fireEvent.click(screen.getByTestId("folder-remove"));
  await fireEvent.click(await screen.findByTestId("confirm-yes"));
  await waitFor(() => expect(screen.queryByTestId("folder-row")).toBeNull());
});

test("the language switches without a restart, and tray and notices are told of it at the start and then", async () => {
  const { backend } = await open();
  expect(backend.language).toBe("en");
  await fireEvent.click(screen.getByTestId("nav-settings"));
  await fireEvent.change(screen.getByTestId("settings-language"), { target: { value: "zh-CN" } });
  await waitFor(() => expect(screen.getByTestId("nav-transfers").textContent).toContain("传输"));
  expect(document.documentElement.lang).toBe("zh-CN");
  expect(backend.language).toBe("zh-CN");
});
