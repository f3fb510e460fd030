// What is shown beside the editor: the request, the two headers, trials; and snippets in and out.
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { MockBackend } from "../backend/mock";
import { mockForm } from "../backend/mockProfiles";
import { i18n } from "../i18n/index.svelte";
import { appContext, AppState } from "../state/app.svelte";
import CallbacksView from "./CallbacksView.svelte";
import { piecesOf } from "./spans";

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

async function open(prepare: (backend: MockBackend) => void = () => undefined) {
  const backend = new MockBackend();
  prepare(backend);
  const app = new AppState(backend);
  await Promise.all([app.callbacks.load(), app.destinations.load()]);
  render(CallbacksView, { context: appContext(app) });
  await screen.findByTestId("cb-form");
  return { app, backend };
}
const click = (id: string) => fireEvent.click(screen.getByTestId(id));
const one = (form: Parameters<typeof mockForm>[0]) => (backend: MockBackend) =>
  (backend.profiles = [{ id: "one", name: "One", usedBy: [], form: mockForm(form) }]);

test("samples are marked, and only they; a form can be read decoded", async () => {
  await open(one({ body: "object=${object}&etag=${etag}" }));
  const request = await screen.findByTestId("cb-preview-request");
  expect(request.textContent).toContain("POST /oss/done HTTP/1.1");
  expect(request.textContent).toContain("object=raw%2F2026%2F11%2Fedit%2Finterview-cut-03.mp4&etag=");
  const marked = [...request.querySelectorAll("mark")];
  expect(marked.map((mark) => mark.title)).toEqual(["A sample: only OSS knows etag"]);
  await click("cb-preview-decoded");
  expect(screen.getByTestId("cb-preview-request").textContent).toContain("object = raw/2026/11/edit/interview-cut-03.mp4");
});

test("spans cut the body without losing or doubling a character", () => {
  const pieces = piecesOf("a=1&b=22&c", [{ start: 6, end: 8, name: "b" }, { start: 2, end: 3, name: "a" }]);
  expect(pieces.map(({ text }) => text).join("")).toBe("a=1&b=22&c");
  expect(pieces.filter(({ sample }) => sample !== null)).toEqual([{ text: "1", sample: "a" }, { text: "22", sample: "b" }]);
});

test("no address: the preview says that OSS would send nothing", async () => {
  await open(one({ urls: [] }));
  expect((await screen.findByTestId("cb-refusal")).textContent).toContain("OSS would send nothing.");
  expect(screen.getByTestId("cb-findings").textContent).toContain("There is no address");
});

test("another file is chosen and studied", async () => {
  const { backend } = await open();
  await screen.findByTestId("cb-preview-request");
  const studied = vi.spyOn(backend, "studyCallback");
  await click("cb-choose-file");
  await waitFor(() => expect(studied.mock.lastCall?.[0].path).toBe("/home/mei/footage/picked.mov"));
  await waitFor(() => expect(screen.getByTestId("cb-preview-request").textContent).toContain("picked.mov"));
});

test("a probe is marked as not signed by OSS, a test is not", async () => {
  const { backend } = await open();
  const tested = vi.spyOn(backend, "testCallback");
  await click("cb-probe");
  await screen.findByTestId("cb-not-signed");
  expect(screen.getByTestId("cb-trial-answer").textContent).toContain("the signature is missing");
  await fireEvent.change(screen.getByTestId("cb-destination"), { target: { value: "sandbox" } });
  await click("cb-test");
  await waitFor(() => expect(screen.getByTestId("cb-trial").dataset["kind"]).toBe("test"));
  expect(screen.queryByTestId("cb-not-signed")).toBeNull();
  expect(tested.mock.lastCall?.[1]).toBe("sandbox");
});

test("a test whose callback failed shows the EC and what was answered", async () => {
  await open((backend) => (backend.answer = { status: 203, ec: "0007-00000203", body: "<Error>Error status : 502.</Error>" }));
  await click("cb-test");
  const trial = await screen.findByTestId("cb-trial");
  for (const part of ["203", "0007-00000203", "Error status : 502."]) expect(trial.textContent).toContain(part);
});

test("a test object that could not be deleted is named beside the answer, to be removed by hand", async () => {
  const problem = { code: "accessDenied" as const, message: "DeleteObject: OSS answered 403", requestId: null, ec: null };
  const leftBehind = { key: "raw/waybill-callback-test-7f3c.txt", versionId: "CAEQ7", problem };
  await open((backend) => (backend.answer = { leftBehind }));
  await click("cb-test");
  const left = await screen.findByTestId("cb-left-behind");
  for (const word of ["oss:DeleteObject", leftBehind.key, "CAEQ7", problem.message]) expect(left.textContent).toContain(word);
  expect(screen.getByTestId("cb-trial-answer").textContent).toContain("7f3c");
  expect(screen.getByTestId("cb-trial").textContent).not.toContain("is deleted again");
});

test("a test object that the network kept from being deleted is not blamed on the rights of the AccessKey", async () => {
  const problem = { code: "network" as const, message: "DeleteObject: connection reset", requestId: null, ec: null };
  await open((backend) => (backend.answer = { leftBehind: { key: "raw/waybill-callback-test-7f3c.txt", versionId: null, problem } }));
  await click("cb-test");
  const left = await screen.findByTestId("cb-left-behind");
  for (const word of ["Delete it yourself.", problem.message]) expect(left.textContent).toContain(word);
  expect(left.textContent).not.toContain("AccessKey");
});

test("a test that cannot be made says why and what now", async () => {
  const problem = { code: "accessDenied" as const, message: "PutObject: AccessDenied", requestId: null, ec: null };
  await open((backend) => (backend.answer = { problem }));
  await click("cb-test");
  const trial = await screen.findByTestId("cb-trial");
  for (const part of ["The AccessKey may not do this", "PutObject: AccessDenied"]) expect(trial.textContent).toContain(part);
});

const JAVA = 'callback.setCallbackUrl("https://api.example.com/cb");\ncallback.setCallbackBody("{\\"object\\":${object}}");';

async function paste(text: string) {
  await click("cb-import");
  await fireEvent.input(screen.getByTestId("cb-import-text"), { target: { value: text } });
}

test("a pasted snippet is named, its traps are told, and it becomes a new profile", async () => {
  const { app } = await open();
  await paste(JAVA);
  expect((await screen.findByTestId("cb-import-language")).textContent).toBe("Java");
  const notes = screen.getByTestId("cb-import-notes").textContent;
  expect(notes).toContain("Backslashes before quotes were taken out.");
  expect(notes).toContain("only the first bytes of the answer. 1024".replace(". ", ".\u00A0"));
  await click("cb-import-new");
  await waitFor(() => expect(app.callbacks.draft?.name).toBe("From Java"));
  expect(app.callbacks.draft?.id).toBeNull();
  expect(app.callbacks.dirty).toBe(true);
});

test("a snippet replaces the profile that is open, name and all else kept", async () => {
  const { app } = await open();
  await paste(JAVA);
  await screen.findByTestId("cb-import-read");
  await click("cb-import-replace");
  expect(app.callbacks.draft).toMatchObject({ id: "edit", name: "Edit finished", form: { urls: ["https://api.example.com/cb"] } });
  expect(app.callbacks.dirty).toBe(true);
});

test("what holds no callback is refused with the reason, and cannot be taken", async () => {
  await open();
  await paste("int main() {}");
  expect((await screen.findByTestId("cb-import-problem")).textContent).toContain("no callback was found");
  expect(screen.getByTestId<HTMLButtonElement>("cb-import-new").disabled).toBe(true);
});

test("a profile is exported as it stands in the editor, in each language", async () => {
  const { backend } = await open();
  const exported = vi.spyOn(backend, "exportCallback");
  await fireEvent.input(screen.getByTestId("cb-url-1"), { target: { value: "https://new.example.com" } });
  await click("cb-export");
  await waitFor(() => expect(screen.getByTestId("cb-export-text").textContent).toContain('setCallbackUrl("https://new.example.com")'));
  await click("cb-export-ruby");
  await waitFor(() => expect(screen.getByTestId("cb-export-text").textContent).toContain("# ruby"));
  expect(exported.mock.calls.map(([, language]) => language)).toEqual(["java", "ruby"]);
  expect(screen.getAllByRole("button", { pressed: false })).toHaveLength(10);
});
