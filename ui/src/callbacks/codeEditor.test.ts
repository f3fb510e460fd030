import { completionStatus, currentCompletions, startCompletion } from "@codemirror/autocomplete";
import { EditorView } from "@codemirror/view";
import { afterEach, expect, test, vi } from "vitest";

import { createEditor, type Editor } from "./codeEditor";

let editor: Editor | undefined;
afterEach(() => {
  editor?.destroy();
  document.body.replaceChildren();
});

const SUGGESTIONS = ["x:job", "bucket", "mimeType"].map((name) => ({ text: `\${${name}}`, detail: "text", info: "Never empty." }));

function open(text: string) {
  const onchange = vi.fn();
  editor = createEditor({
    parent: document.body, text, kind: "template", label: "Body", testid: "body", suggestions: () => SUGGESTIONS, onchange,
  });
  const view = EditorView.findFromDOM(document.querySelector<HTMLElement>("[data-testid=body]") as HTMLElement) as EditorView;
  return { editor, view, onchange };
}

test("behind ${ every variable is offered, and one that is taken does not double the brace", async () => {
  const { view, onchange } = open("a=${}");
  view.dispatch({ selection: { anchor: 4 } });
  startCompletion(view);
  await vi.waitFor(() => expect(completionStatus(view.state)).toBe("active"));
  const offered = currentCompletions(view.state);
  expect(offered.map(({ label }) => label).sort()).toEqual(["${bucket}", "${mimeType}", "${x:job}"]);
  const bucket = offered.find(({ label }) => label === "${bucket}");
  (bucket?.apply as (view: EditorView, completion: unknown, from: number, to: number) => void)(view, bucket, 2, 4);
  expect(onchange).toHaveBeenLastCalledWith("a=${bucket}");
});

test("a text set from outside is not reported as typed", () => {
  const { editor, onchange } = open("a");
  editor.setText("b");
  expect(onchange).not.toHaveBeenCalled();
});

test("marks beyond the end of a shorter text do not throw", () => {
  const { editor, view } = open("a=${etag}");
  editor.setText("a");
  editor.setMarks([{ from: 2, to: 9, level: "error", text: "gone" }]);
  expect(view.state.doc.toString()).toBe("a");
});

test("Tab is left to the window, so that the keyboard gets out again", () => {
  const { view } = open("a");
  const event = new KeyboardEvent("keydown", { key: "Tab", bubbles: true, cancelable: true });
  view.contentDOM.dispatchEvent(event);
  expect(event.defaultPrevented).toBe(false);
  expect(view.state.doc.toString()).toBe("a");
});
