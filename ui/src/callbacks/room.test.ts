// The callback room over an invented world: writing, curing, ordering, losing nothing.
import { EditorView } from "@codemirror/view";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import App from "../App.svelte";
import { MockBackend } from "../backend/mock";
import { i18n } from "../i18n/index.svelte";
import { AppState } from "../state/app.svelte";

beforeEach(() => i18n.choose("en"));
afterEach(cleanup);

async function open(prepare: (backend: MockBackend) => void = () => undefined) {
  const backend = new MockBackend();
  prepare(backend);
  const app = new AppState(backend);
  render(App, { props: { app } });
  await waitFor(() => expect(app.info).not.toBeNull());
  await fireEvent.click(screen.getByTestId("nav-callbacks"));
  await screen.findByTestId("callbacks-room");
  return { app, backend };
}

const field = (id: string) => screen.getByTestId<HTMLInputElement>(id);
const type = (id: string, value: string) => fireEvent.input(field(id), { target: { value } });
const click = (id: string) => fireEvent.click(screen.getByTestId(id));
const save = () => fireEvent.keyDown(window, { key: "s", ctrlKey: true });

/** CodeMirror comes with its first use; then it is a text box that knows its own text. */
async function editor(testid = "cb-body"): Promise<EditorView> {
  const content = await screen.findByTestId(testid);
  return EditorView.findFromDOM(content) as EditorView;
}
async function write(text: string, testid?: string) {
  const view = await editor(testid);
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  await waitFor(() => undefined);
}
const bodyText = async () => (await editor()).state.doc.toString();

test("a profile is written with the keyboard only, and saved by Ctrl+S", async () => {
  const { app, backend } = await open();
  const saved = vi.spyOn(backend, "saveCallbackProfile");
  await click("cb-new");
  await editor();
  const room = screen.getByTestId("callbacks-room");
  // Whatever acts on a click can be reached by Tab; a choice of several is one stop, moved by arrows.
  for (const element of room.querySelectorAll<HTMLElement>("button, input, select, summary")) {
    if (element.getAttribute("role") !== "radio") expect(element.tabIndex, element.outerHTML.slice(0, 120)).toBe(0);
  }
  for (const group of within(room).getAllByRole("radiogroup")) {
    expect(within(group).getAllByRole("radio").filter((one) => one.tabIndex === 0)).toHaveLength(1);
  }
  await type("cb-name", "  Print order ");
  await type("cb-url-1", " https://orders.example.cn/cb ");
  await fireEvent.keyDown(screen.getByTestId("cb-body-json"), { key: "ArrowLeft" });
  expect(document.activeElement).toBe(screen.getByTestId("cb-body-form"));
  await write("object=${object}&no=${x:upload_no}");
  await fireEvent.keyDown(screen.getByTestId("cb-fails-needs"), { key: "ArrowRight" });
  await save();
  await waitFor(() => expect(app.callbacks.edited?.name).toBe("Print order"));
  expect(saved).toHaveBeenCalledExactlyOnceWith({
    id: null, name: "Print order",
    form: {
      urls: ["https://orders.example.cn/cb"], host: "", body: "object=${object}&no=${x:upload_no}", bodyType: "form", sni: true,
      variables: [{ name: "x:upload_no", value: "{uploadNo}-{uuid}" }], query: [], headers: [], bestEffort: true, expectations: [], columns: [],
    },
  });
  expect(screen.queryByTestId("cb-unsaved")).toBeNull();
});

test("a profile without a name is not sent", async () => {
  const { backend } = await open();
  const saved = vi.spyOn(backend, "saveCallbackProfile");
  await click("cb-new");
  await save();
  expect(saved).not.toHaveBeenCalled();
  expect(field("cb-name").validity.valueMissing).toBe(true);
});

test("a finding is underlined where it is, and its cure mends the body and goes", async () => {
  await open();
  const view = await editor();
  const cure = await screen.findByTestId("cure-quotedVariable");
  await waitFor(() => expect(view.dom.querySelector(".cm-lintRange-error")?.textContent).toBe('"${mimeType}"'));
  expect(screen.getByTestId("cb-findings").textContent).toContain("Line 5: With quotes around mimeType");
  await fireEvent.click(cure);
  await waitFor(() => expect(view.state.doc.toString()).toContain('"type": ${mimeType},'));
  await waitFor(() => expect(screen.queryByTestId("cure-quotedVariable")).toBeNull());
});

test("a cure found for an older text does not undo what was typed since", async () => {
  const { app, backend } = await open();
  const cure = await screen.findByTestId("cure-quotedVariable");
  const studied = vi.spyOn(backend, "studyCallback");
  await write("object=${object}");
  await fireEvent.click(cure);
  expect(await bodyText()).toBe("object=${object}");
  await waitFor(() => expect(studied).toHaveBeenCalled());
  expect(app.callbacks.draft?.form.body).toBe("object=${object}");
});

test("addresses change places with Alt and the arrows, the focus goes along, and the ends hold", async () => {
  const { app } = await open();
  const urls = () => app.callbacks.draft?.form.urls.map((url) => new URL(url).hostname);
  const alt = (id: string, key: string) => fireEvent.keyDown(screen.getByTestId(id), { key, altKey: true });
  await screen.findByTestId("cb-url-2");
  await alt("cb-url-1", "ArrowDown");
  expect(urls()).toEqual(["backup.example.com", "api.example.com"]);
  expect(document.activeElement).toBe(screen.getByTestId("cb-url-2"));
  await alt("cb-url-2", "ArrowDown");
  await fireEvent.keyDown(screen.getByTestId("cb-url-2"), { key: "ArrowUp" });
  expect(urls()).toEqual(["backup.example.com", "api.example.com"]);
  await alt("cb-url-2", "ArrowUp");
  expect(urls()).toEqual(["api.example.com", "backup.example.com"]);
});

test("an address is dragged to another place", async () => {
  const { app } = await open();
  await screen.findByTestId("cb-url-2");
  await fireEvent.dragStart(screen.getByTestId("cb-url-grip-2"));
  await fireEvent.dragOver(screen.getByTestId("cb-url-row-1"));
  await fireEvent.drop(screen.getByTestId("cb-url-row-1"));
  expect(app.callbacks.draft?.form.urls[0]).toBe("https://backup.example.com/oss/done");
});

test("the sixth address is not offered", async () => {
  await open();
  for (let n = 3; n <= 5; n += 1) await fireEvent.click(await screen.findByTestId("cb-url-add"));
  expect(screen.getByTestId("cb-url-5")).toBeTruthy();
  expect(screen.queryByTestId("cb-url-add")).toBeNull();
});

test("from JSON to a form and back the fields stay; what cannot be read stays as it is and is said", async () => {
  await open();
  await click("cb-body-form");
  expect(await bodyText()).toBe("bucket=${bucket}&object=${object}&size=${size}&type=${mimeType}&job=${x:job}&waybill=${x:upload_no}");
  await click("cb-body-json");
  expect(await bodyText()).toContain('"waybill": ${x:upload_no}');
  await write("{ broken");
  await click("cb-body-form");
  expect(await bodyText()).toBe("{ broken");
  expect(screen.getByTestId("cb-body-notice").textContent).toContain("left as it is");
});

test("a chip inserts its variable where the cursor is", async () => {
  const { app } = await open();
  const view = await editor();
  await write("a=");
  view.dispatch({ selection: { anchor: 2 } });
  await click("cb-chip-etag");
  expect(app.callbacks.draft?.form.body).toBe("a=${etag}");
});

test("another profile asks before it discards; a no keeps everything, a yes opens the other", async () => {
  const { app } = await open();
  await screen.findByTestId("cb-name");
  const other = () => fireEvent.click(screen.getAllByTestId("cb-profile")[1] as HTMLElement);
  await type("cb-name", "Edit done");
  await other();
  expect((await screen.findByTestId("confirm")).textContent).toContain("Discard the changes to “Edit done”?");
  await click("confirm-no");
  expect(field("cb-name").value).toBe("Edit done");
  await other();
  await click("confirm-yes");
  await waitFor(() => expect(field("cb-name").value).toBe("Transcode"));
  await fireEvent.click(screen.getAllByTestId("cb-profile")[0] as HTMLElement);
  await waitFor(() => expect(field("cb-name").value).toBe("Edit finished"));
  expect(app.question).toBeNull();
});

test("another room and a tool keep what is not saved, without asking", async () => {
  await open();
  await screen.findByTestId("cb-name");
  await type("cb-name", "Edit done");
  await click("cb-tool-signature");
  await click("nav-transfers");
  await click("nav-callbacks");
  await fireEvent.click(screen.getAllByTestId("cb-profile")[0] as HTMLElement);
  expect(field("cb-name").value).toBe("Edit done");
  expect(screen.getByTestId("cb-unsaved")).toBeTruthy();
});

test("deleting says which destinations use the profile, and a no keeps it", async () => {
  const { backend } = await open();
  await click("cb-delete");
  const question = await screen.findByTestId("confirm");
  expect(question.textContent).toContain("media-prod");
  await click("confirm-no");
  expect(backend.profiles).toHaveLength(4);
  await click("cb-delete");
  await click("confirm-yes");
  await waitFor(() => expect(screen.getAllByTestId("cb-profile")).toHaveLength(3));
  expect(field("cb-name").value).toBe("Transcode");
});

test("JSON mode follows the form, changes it, and says an error while the profile stays as it was", async () => {
  const { app } = await open();
  await click("cb-view-json");
  const view = await editor("cb-json-text");
  const text = view.state.doc.toString();
  await write(text.replace('"name": "Edit finished"', '"name": "Cut"').replace('"sni": true', '"sni": false'), "cb-json-text");
  await waitFor(() => expect(app.callbacks.draft?.name).toBe("Cut"));
  expect(app.callbacks.draft?.form.sni).toBe(false);
  await write(text.replace('"sni": true', '"sni": "yes"'), "cb-json-text");
  expect((await screen.findByTestId("cb-json-problem")).textContent).toBe("sni must be true or false.");
  expect(app.callbacks.draft?.name).toBe("Cut");
  await fireEvent.click(await screen.findByTestId("preview-cure-httpsWithoutSni"));
  await waitFor(() => expect(view.state.doc.toString()).toContain('"sni": true'));
  expect(screen.queryByTestId("cb-json-problem")).toBeNull();
});

test("the variable against double calls is offered until there is one", async () => {
  const { app } = await open();
  await fireEvent.click(screen.getAllByTestId("cb-profile")[1] as HTMLElement);
  await waitFor(() => expect(field("cb-name").value).toBe("Transcode"));
  await click("cb-idempotency");
  expect(app.callbacks.draft?.form.variables).toEqual([{ name: "x:upload_no", value: "{uploadNo}-{uuid}" }]);
  expect(screen.queryByTestId("cb-idempotency")).toBeNull();
  await click("cb-template-{ext}");
  expect(app.callbacks.draft?.form.variables[0]?.value).toBe("{uploadNo}-{uuid}{ext}");
});

test("the room speaks Chinese, its findings too", async () => {
  await open();
  i18n.choose("zh-CN");
  expect((await screen.findByTestId("cure-quotedVariable")).textContent).toBe("去掉引号");
  expect(screen.getByTestId("cb-tool-failed").textContent).toContain("4 个待重新发送");
  expect(screen.getByTestId("cb-save").textContent).toBe("保存");
});

test("the sidebar counts the profiles, unless callbacks failed", async () => {
  const { backend } = await open((mock) => (mock.world.rows = []));
  expect(screen.getByTestId("nav-callbacks").textContent).toContain("4");
  await click("cb-delete");
  await click("confirm-yes");
  await waitFor(() => expect(screen.getByTestId("nav-callbacks").textContent).toContain("3"));
  expect(backend.profiles).toHaveLength(3);
});
