// The callback's tab of the inspector: what came back, why, what to do, and what was before.
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { MockBackend } from "../backend/mock";
import { mockDetails } from "../backend/mockDetails";
import { mockRow } from "../backend/mockWorld";
import type { CallbackBadge } from "../bindings/CallbackBadge";
import type { CallbackTrial } from "../bindings/CallbackTrial";
import type { CallbackView } from "../bindings/CallbackView";
import type { UploadRow } from "../bindings/UploadRow";
import { i18n } from "../i18n/index.svelte";
import * as clipboard from "../shared/clipboard";
import { appContext, AppState } from "../state/app.svelte";
import CallbackPanel from "./CallbackPanel.svelte";
import { spent } from "./calls";
import { rowMenu } from "./rowMenu";

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

const FAILED: CallbackBadge = { kind: "failed", ec: "0007-00000203", message: "Error status : 502." };
const ANSWERED: CallbackBadge = { kind: "answered", status: 200, tookMs: 84 };
const UNMET: CallbackBadge = { kind: "notAsExpected", status: 200, tookMs: 84, unmet: { pointer: "/status", comparison: "equals", value: "ok" } };

function show(callback: CallbackBadge, more: Partial<CallbackView> = {}, some: Partial<UploadRow> = {}) {
  const row = mockRow({ no: 7, name: "a.mov", phase: "done", callback, ...some });
  const backend = new MockBackend({ world: { rows: [row] } });
  const app = new AppState(backend);
  const details = mockDetails(row, backend.world.destinations[1]);
  Object.assign(details.callback, more);
  render(CallbackPanel, { context: appContext(app), props: { details } });
  return { backend, app, row };
}

function call(some: Partial<CallbackTrial>): CallbackTrial {
  return { atMs: 0, tookMs: 84, status: 200, headers: [], body: "", ec: null, requestId: "", signedByOss: true, problem: null, advice: null, leftBehind: null, ...some };
}

const text = (id: string) => screen.getByTestId(id).textContent;
const lines = (id: string) => text(id)?.split("\n");

test("a failed callback names cause and cure in the language of the window", async () => {
  show(FAILED);
  const words = () => screen.getAllByTestId("callback-advice")[0]?.textContent;
  expect(words()).toContain("A proxy in front of your server");
  expect(words()).toContain("do not upload it again");
  i18n.choose("zh-CN");
  await waitFor(() => expect(words()).toContain("不必重新上传"));
  expect(words()).not.toContain("proxy");
});

test("a callback that went well after one that failed gives advice on that one only", () => {
  show(FAILED);
  const advice = screen.getAllByTestId("callback-advice");
  expect(advice.map((one) => one.closest("[data-testid=callback-call]") !== null)).toEqual([false, true]);
  cleanup();
  const failed = call({ status: 203, advice: { ec: "", causeEn: "c", cureEn: "d", causeZh: "c", cureZh: "d" } });
  show(ANSWERED, { calls: [failed, call({})] });
  expect(screen.getByTestId("callback-advice").closest("[data-testid=callback-call]")).not.toBeNull();
});

test("send again says what changes, and a no sends nothing", async () => {
  const { backend, app } = show(FAILED);
  const sent = vi.spyOn(backend, "resendCallbacks").mockResolvedValue(1);
  await fireEvent.click(screen.getByTestId("callback-send-again"));
  await waitFor(() => expect(app.question?.points?.join()).toContain("new Last-Modified"));
  app.question?.answer(false);
  await fireEvent.click(screen.getByTestId("callback-send-again"));
  await waitFor(() => expect(app.question).not.toBeNull());
  expect(sent).not.toHaveBeenCalled();
  app.question?.answer(true);
  await waitFor(() => expect(sent).toHaveBeenCalledExactlyOnceWith({ these: { nos: [7] } }));
});

test("a callback that somebody saw to is marked as settled, and then offers nothing more", async () => {
  const { backend } = show(UNMET);
  const settled = vi.spyOn(backend, "settleCallbacks");
  await fireEvent.click(screen.getByTestId("callback-settle"));
  expect(settled).toHaveBeenCalledExactlyOnceWith([7]);
  cleanup();
  show(UNMET, {}, { callbackBad: false });
  expect(screen.queryByTestId("callback-send-again")).toBeNull();
  expect(screen.queryByTestId("callback-settle")).toBeNull();
});

test("an answer that is not as expected shows which expectation failed and what it says instead", () => {
  show(UNMET);
  const items = within(screen.getByTestId("callback-expectations")).getAllByRole("listitem");
  expect(items.map((item) => item.dataset["met"])).toEqual(["true", "false"]);
  expect(items[0]?.textContent).not.toContain("The answer says");
  expect(items[1]?.textContent).toMatch(/\/status\s+equals\s+ok\s*The answer says queued/);
  expect(within(items[1]!).getByRole("img").getAttribute("aria-label")).toBe("It is not so");
});

test("a call that was not made leaves the answer before it in its place and says why it was not", () => {
  const problem = { code: "refused", message: "the object was replaced", requestId: null, ec: null } as const;
  const calls = [
    call({ status: 203, ec: "0007-00000203", body: "<old/>", requestId: "R1" }),
    call({ status: 200, body: '{"now":1}', requestId: "R2" }),
    call({ status: 0, problem }),
  ];
  show(ANSWERED, { calls, answer: '{"now":1}' });
  expect(text("callback-request-id")).toBe("R2");
  const shown = screen.getAllByTestId("callback-call");
  expect(shown.map((one) => one.querySelector("summary")?.textContent?.match(/With the upload|Sent again|Not made|203/g))).toEqual([
    ["Sent again", "Not made"],
    ["With the upload", "203"],
  ]);
  expect(shown[0]?.textContent).toContain("the object was replaced");
  expect(shown[0]?.textContent).toContain("Your server was not called.");
  expect(shown[1]?.textContent).toContain("<old/>");
});

test("with fifty calls kept, the oldest of them is not taken for the upload's own", () => {
  show(ANSWERED, { calls: Array.from({ length: 50 }, () => call({})) });
  expect(screen.queryByText("With the upload")).toBeNull();
});

test("the time is shown against the five seconds that OSS waits", () => {
  show({ ...ANSWERED, tookMs: 4_600 }, { calls: [call({ tookMs: 4_600 })] });
  expect(text("callback-time")?.trim()).toBe("4.6 s of 5 s");
  expect([spent(84), spent(4_600), spent(9_000)]).toEqual([
    { percent: 2, tone: "ok" }, { percent: 92, tone: "bad" }, { percent: 100, tone: "bad" },
  ]);
});

test("headers of the answer and the request id are there to read and to copy", () => {
  show(ANSWERED);
  expect(text("callback-headers")).toBe("Headers (2)");
  expect(screen.getByText(/x-oss-server-time: 87/)).toBeTruthy();
  expect(screen.getByRole("button", { name: "Copy Request id" })).toBeTruthy();
});

test("a JSON answer folds, and a search opens what hides the hit", async () => {
  show(ANSWERED);
  const before = lines("callback-answer")?.length ?? 0;
  await fireEvent.click(screen.getByTestId("callback-answer-fold-5"));
  expect(lines("callback-answer")?.length).toBeLessThan(before);
  expect(text("callback-answer")).not.toContain("media.example.com");
  expect(screen.getByTestId("callback-answer-fold-5").getAttribute("aria-expanded")).toBe("false");
  const search = screen.getByTestId("callback-answer-search");
  await fireEvent.input(search, { target: { value: "7F3C" } });
  await waitFor(() => expect(text("callback-answer")).toContain("media.example.com"));
  expect(text("callback-answer-found")).toBe("1 of 2");
  await fireEvent.keyDown(search, { key: "Enter" });
  expect(text("callback-answer-found")).toBe("2 of 2");
  await fireEvent.keyDown(search, { key: "Enter" });
  expect(text("callback-answer-found")).toBe("1 of 2");
  await fireEvent.input(search, { target: { value: "nowhere" } });
  expect(text("callback-answer-found")).toBe("not found");
});

test("a long answer comes whole when it is asked for, and is copied whole at any time", async () => {
  const answer = JSON.stringify(Array.from({ length: 900 }, (_, n) => n));
  show(ANSWERED, { answer });
  expect(lines("callback-answer")).toHaveLength(500);
  const copied = vi.spyOn(clipboard, "copyText").mockResolvedValue(true);
  await fireEvent.click(screen.getByRole("button", { name: "Copy Your server" }));
  expect(copied).toHaveBeenCalledWith(answer);
  await fireEvent.click(screen.getByTestId("callback-answer-whole"));
  expect(lines("callback-answer")).toHaveLength(902);
  expect(screen.queryByTestId("callback-answer-whole")).toBeNull();
});

test("a long line that is no JSON is cut until it is asked for", async () => {
  show(ANSWERED, { answer: "x".repeat(120_000) });
  expect(text("callback-answer")).toHaveLength(50_000);
  await fireEvent.click(screen.getByTestId("callback-answer-whole"));
  expect(text("callback-answer")).toHaveLength(120_000);
});

test("copy as curl gives the call with what is known filled in and without a signature", async () => {
  const copied = vi.spyOn(clipboard, "copyText").mockResolvedValue(true);
  show(ANSWERED);
  await fireEvent.click(screen.getByTestId("callback-curl"));
  const command = copied.mock.calls[0]?.[0] ?? "";
  expect(command).toContain("bucket=media-prod&object=raw%2F2026%2F11%2Fcam-a%2Fa.mov&");
  expect(command).toContain("job=spring-launch'");
  expect(command).not.toMatch(/authorization|pub-key/i);
  expect(screen.getByText(/Only OSS knows mimeType/)).toBeTruthy();
});

test("columns are copied from the inspector and from the menu of the row", async () => {
  const copied = vi.spyOn(clipboard, "copyText").mockResolvedValue(true);
  const { app, row } = show(ANSWERED, {}, { columns: [{ name: "Link", value: "https://media.example.com/a/7f3c" }] });
  await fireEvent.click(within(screen.getByTestId("callback-columns")).getByRole("button", { name: "Copy Link" }));
  const item = rowMenu(app, row, vi.fn()).find(({ id }) => id === "copy-column-1");
  expect(item?.text).toBe("Copy Link");
  item?.act();
  expect(copied.mock.calls).toEqual([["https://media.example.com/a/7f3c"], ["https://media.example.com/a/7f3c"]]);
});

test("the menu of a row offers to send again and to settle only where the callback needs somebody", () => {
  const { app, row } = show(FAILED);
  const ids = (of: UploadRow) => rowMenu(app, of, vi.fn()).map(({ id }) => id).filter((id) => /again|settle/.test(id));
  expect(ids(row)).toEqual(["send-again", "settle"]);
  expect(ids({ ...row, callbackBad: false })).toEqual([]);
});

test.each([
  ['{"orderId":"42"}', "a.mov.callback.json"],
  ["<Error><Code>CallbackFailed</Code></Error>", "a.mov.callback.txt"],
])("the answer %s is saved whole as %s, and where it is is said", async (answer, name) => {
  const { backend, app } = show(ANSWERED, { answer, calls: [call({ body: answer })] }, { key: "raw/2026/a.mov" });
  const saved = vi.spyOn(backend, "saveText");
  await fireEvent.click(screen.getByTestId("answer-save"));
  expect(saved).toHaveBeenCalledExactlyOnceWith(name, answer);
  await waitFor(() => expect(app.toasts).toMatchObject([{ tone: "info", title: "Saved", lines: [`/home/mei/Downloads/${name}`] }]));
});

test("an earlier answer is saved as it was", async () => {
  const { backend } = show(ANSWERED, { answer: "{}", calls: [call({ status: 203, body: "<Error/>" }), call({ body: "{}" })] }, { key: "a.mov" });
  const saved = vi.spyOn(backend, "saveText");
  await fireEvent.click(within(screen.getByTestId("callback-call")).getByTestId("answer-save"));
  expect(saved).toHaveBeenCalledExactlyOnceWith("a.mov.callback.txt", "<Error/>");
});

test("a dialog that is closed says nothing, and a file that cannot be written says why", async () => {
  const { backend, app } = show(ANSWERED, { answer: "{}", calls: [call({ body: "{}" })] });
  const saved = vi.spyOn(backend, "saveText").mockResolvedValueOnce(null);
  await fireEvent.click(screen.getByTestId("answer-save"));
  expect(saved).toHaveBeenCalledOnce();
  // A turn of the event loop comes after all that follows the answer.
  await new Promise((turn) => setTimeout(turn));
  expect(app.toasts).toEqual([]);
  saved.mockRejectedValueOnce({ code: "refused", message: 'could not write "/x": No space left', requestId: null });
  await fireEvent.click(screen.getByTestId("answer-save"));
  await waitFor(() => expect(app.toasts).toMatchObject([{ tone: "bad", title: "The file could not be written", lines: ['could not write "/x": No space left'] }]));
});
