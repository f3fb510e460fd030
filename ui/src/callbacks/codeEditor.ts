// The text editor of the studio: CodeMirror, loaded only when it is looked at. It knows texts, marks and suggestions.
import { acceptCompletion, autocompletion, completionKeymap, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { linter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import {
  Decoration, drawSelection, EditorView, keymap, MatchDecorator, tooltips, ViewPlugin, type DecorationSet, type ViewUpdate,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { editorTheme } from "./editorTheme";

/** A stretch of the text that something is wrong with. */
export interface Mark {
  from: number;
  to: number;
  level: "error" | "warning";
  text: string;
  cure?: { name: string; apply: () => void };
}

export interface Suggestion {
  /** As it stands in the text, `${size}`. */
  text: string;
  detail: string;
  info: string;
}

export interface EditorOptions {
  parent: HTMLElement;
  text: string;
  kind: "template" | "json";
  label: string;
  testid: string;
  suggestions: () => readonly Suggestion[];
  onchange: (text: string) => void;
}

export interface Editor {
  setText(text: string): void;
  setMarks(marks: readonly Mark[]): void;
  /** Puts a text where the cursor is, and the cursor behind it. */
  insert(text: string): void;
  destroy(): void;
}

const TYPED = /\$\{?[\w.:-]*$/;

const variable = new MatchDecorator({ regexp: /\$\{[^{}\n]*\}/g, decoration: Decoration.mark({ class: "cm-variable" }) });

const variables = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = variable.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.decorations = variable.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
]);

function completions(suggestions: () => readonly Suggestion[]) {
  return (context: CompletionContext): CompletionResult | null => {
    const typed = context.matchBefore(TYPED);
    if (!typed && !context.explicit) return null;
    return {
      from: typed?.from ?? context.pos,
      validFor: new RegExp(`^${TYPED.source}`),
      options: suggestions().map(({ text, detail, info }) => ({
        label: text, detail, info, type: "variable",
        apply: (view, _, from, to) => {
          // A brace that stands there already is not written twice.
          const end = view.state.sliceDoc(to, to + 1) === "}" ? to + 1 : to;
          view.dispatch({ changes: { from, to: end, insert: text }, selection: { anchor: from + text.length }, userEvent: "input.complete" });
        },
      })),
    };
  };
}

/** The window's rules let in only styles that carry its nonce; a `<style>` of index.html was given one. */
function nonce(): Extension {
  const given = document.querySelector<HTMLStyleElement>("style[nonce]")?.nonce;
  return given ? EditorView.cspNonce.of(given) : [];
}

function language({ kind, suggestions }: EditorOptions): Extension {
  if (kind === "json") return [json(), linter(jsonParseLinter()), bracketMatching()];
  return [variables, autocompletion({ override: [completions(suggestions)], icons: false })];
}

export function createEditor(options: EditorOptions): Editor {
  const { parent, text, label, testid, onchange } = options;
  let silent = false;
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        // The editor's column scrolls and would cut off what is longer than it is.
        tooltips({ parent: document.body }),
        nonce(), history(), drawSelection(), editorTheme, syntaxHighlighting(colours), EditorView.lineWrapping, language(options),
        // Tab goes on to the next field, as everywhere; it takes a suggestion only while one is open.
        keymap.of([{ key: "Tab", run: acceptCompletion }, ...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
        EditorView.contentAttributes.of({ "aria-label": label, "data-testid": testid, spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !silent) onchange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setText(to) {
      const now = view.state.doc.toString();
      if (to === now) return;
      silent = true;
      view.dispatch({ changes: { from: 0, to: now.length, insert: to } });
      silent = false;
    },
    setMarks(marks) {
      const length = view.state.doc.length;
      const shown = marks.map(({ from, to, level, text: message, cure }) => ({
        from: Math.min(from, length), to: Math.min(to, length), severity: level, message, ...(cure ? { actions: [cure] } : {}),
      }));
      view.dispatch(setDiagnostics(view.state, shown));
    },
    insert(piece) {
      view.dispatch(view.state.replaceSelection(piece), { userEvent: "input.paste", scrollIntoView: true });
      view.focus();
    },
    destroy: () => view.destroy(),
  };
}
