import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { MockBackend } from "../backend/mock";
import { mockDetails } from "../backend/mockDetails";
import { mockRow } from "../backend/mockWorld";
import type { CallbackView } from "../bindings/CallbackView";
import type { UploadRow } from "../bindings/UploadRow";
import { i18n } from "../i18n/index.svelte";
import { appContext, AppState } from "../state/app.svelte";
import Inspector, { type InspectorTab } from "./Inspector.svelte";

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

function show(some: Partial<UploadRow>, tab: InspectorTab, callback: Partial<CallbackView> = {}) {
  const backend = new MockBackend();
  const app = new AppState(backend);
  const row = mockRow({ no: 7, destination: "media-prod", ...some });
  const details = mockDetails(row, backend.world.destinations[1]);
  Object.assign(details.callback, callback);
  render(Inspector, {
    context: appContext(app),
    props: { details, tab, ontab: vi.fn(), onclose: vi.fn() },
  });
  return { backend, app };
}

const text = (id: string) => screen.getByTestId(id).textContent;

test("an answer that is HTML stays text", () => {
  const answer = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
  show({ phase: "done", callback: { kind: "answered", status: 200, tookMs: 5 } }, "callback", { answer });
  const shown = screen.getByTestId("callback-answer");
  expect(shown.textContent).toBe(answer);
  expect(shown.querySelector("img, script")).toBeNull();
});

test("HTML inside a JSON answer stays text as well", () => {
  const answer = '{"note":"<img src=x onerror=alert(1)>"}';
  show({ phase: "done", callback: { kind: "answered", status: 200, tookMs: 5 } }, "callback", { answer });
  const shown = screen.getByTestId("callback-answer");
  expect(shown.textContent).toBe('{\n  "note": "<img src=x onerror=alert(1)>"\n}');
  expect(shown.querySelector("img")).toBeNull();
});

test("a failed callback shows stored and callback failed at once", () => {
  show({ phase: "done", callback: { kind: "failed", ec: "0007-00000203", message: "Error status : 502." } }, "callback");
  const inspector = screen.getByTestId("inspector");
  expect(within(inspector).getAllByText("Stored").length).toBeGreaterThan(0);
  expect(text("callback-pill")).toBe("203 CallbackFailed · 0007-00000203");
  expect(text("callback-answer")).toContain("<Message>Error status : 502.</Message>");
  expect(text("callback-note")).toContain("The object is stored.");
});

test("the request names URL and body with its variables", () => {
  show({ phase: "done" }, "callback");
  const request = screen.getByTestId("callback-request");
  expect(request.textContent).toContain("https://api.example.com/oss/done\nbucket=${bucket}&");
  expect(within(request).getByText("${x:job}").className).toContain("variable");
  expect(screen.getByText("https://backup.example.com/oss/done")).toBeTruthy();
});

test("the overview shows the object as OSS reported it", () => {
  show({ phase: "done" }, "overview");
  expect(text("object-etag")).toMatch(/^9C1E0B5A/);
  expect(text("object-crc64")).toBe("9223372036854775809");
  expect(text("object-verified")).toBe("verified");
  expect(text("object-request-id")).toBe("673DB2EB8B9F3A3034C1A7F2");
});

test("a failure says what happened, whether the file is safe, what now, and the code", () => {
  const problem = { code: "accessDenied" as const, message: "PutObject: AccessDenied", requestId: "R1", ec: "0003-00000001" };
  show({ phase: "failed", problem, callback: { kind: "notSent" } }, "overview");
  const box = text("problem");
  for (const part of ["The AccessKey may not do this", "Your file is untouched", "then retry", "accessDenied · 0003-00000001", "R1"]) {
    expect(box).toContain(part);
  }
});

test("the log has words for what it knows and shows the rest as it is", () => {
  const backend = new MockBackend();
  const details = mockDetails(mockRow({ no: 7 }), undefined);
  details.log = [
    { atMs: 0, what: "queued", detail: "" },
    { atMs: 1, what: "somethingNew", detail: "<b>x</b>" },
  ];
  render(Inspector, {
    context: appContext(new AppState(backend)),
    props: { details, tab: "log", ontab: vi.fn(), onclose: vi.fn() },
  });
  expect(text("log")).toContain("Queued");
  expect(text("log")).toContain("somethingNew <b>x</b>".replace(" ", " "));
});

test("cancel asks first; a no leaves the upload alone", async () => {
  const { app, backend } = show({ phase: "sending" }, "overview");
  const cancelled = vi.spyOn(backend, "cancelUpload").mockResolvedValue();
  await fireEvent.click(screen.getByTestId("action-cancel"));
  app.question?.answer(false);
  await fireEvent.click(screen.getByTestId("action-cancel"));
  expect(cancelled).not.toHaveBeenCalled();
  app.question?.answer(true);
  await waitFor(() => expect(cancelled).toHaveBeenCalledExactlyOnceWith(7));
});

test("an upload that found an identical object says that nothing was sent and nobody called", () => {
  show({ phase: "done", alreadyThere: "identical", callback: { kind: "notSent" } }, "overview");
  expect(text("already-there")).toContain("Nothing was sent, and no callback was made.");
  expect(within(screen.getByTestId("inspector")).getByText("Checked")).toBeTruthy();
});

test("tries that did not work are told with their reason and request id, the newest first", () => {
  const problem = { code: "network", message: "UploadPart 397: reset", requestId: "R-1", ec: null } as const;
  show({ phase: "queued", attempts: 3, retryAtMs: 5000, problem }, "overview");
  const shown = screen.getByTestId("attempts");
  expect(within(shown).getAllByRole("listitem").length).toBe(2);
  expect(shown.textContent).toContain("UploadPart 397: reset");
  expect(shown.textContent).toContain("R-1");
});

test("an upload that waits for its destination can be told to try now", async () => {
  const problem = { code: "credentials", message: "SignatureDoesNotMatch", requestId: null, ec: null } as const;
  const { backend } = show({ phase: "queued", retryAtMs: 5000, problem }, "overview");
  const retried = vi.spyOn(backend, "retryUpload").mockResolvedValue();
  await fireEvent.click(screen.getByTestId("action-retry"));
  expect(retried).toHaveBeenCalledWith(7);
});
