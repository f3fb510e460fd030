// How the editor looks: the window's own colours, light and dark.
import { EditorView } from "@codemirror/view";

/** One property each: WebKit's short form takes nothing but the line. */
const wavy = (colour: string) => ({
  backgroundImage: "none", textDecorationLine: "underline", textDecorationStyle: "wavy", textDecorationColor: colour,
  textDecorationThickness: "1px", textUnderlineOffset: "3px", paddingBottom: "0",
});

export const editorTheme = EditorView.theme({
  "&": {
    font: "11.5px/1.6 var(--mono)", color: "var(--ink)", background: "var(--sunken)", border: "1px solid var(--line)",
    borderRadius: "6px", cursor: "text", userSelect: "text",
  },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { font: "inherit", maxHeight: "var(--editor-height, 300px)", overflow: "auto" },
  ".cm-content": { padding: "9px 0", minHeight: "56px", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 11px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--accent-soft)",
  },
  "&.cm-focused .cm-matchingBracket": { background: "var(--idle-soft)", outline: "1px solid var(--line-strong)" },
  ".cm-variable": { background: "var(--accent-soft)", color: "var(--accent-ink)", borderRadius: "3px", padding: "0 2px" },
  ".cm-lintRange-error": wavy("var(--bad)"),
  ".cm-lintRange-warning": wavy("var(--warn)"),
  ".cm-tooltip": {
    background: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-strong)", borderRadius: "8px",
    boxShadow: "var(--shadow-high)", font: "12px/1.45 var(--font)", zIndex: "20",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { font: "11.5px/1.5 var(--mono)", maxHeight: "216px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 9px", display: "flex", gap: "12px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "650", color: "var(--accent-ink)" },
  ".cm-completionDetail": { marginLeft: "auto", fontStyle: "normal", color: "var(--ink-3)", font: "11px var(--font)" },
  ".cm-tooltip.cm-completionInfo": { padding: "6px 10px", maxWidth: "260px", color: "var(--ink-2)" },
  ".cm-diagnostic": { padding: "6px 10px", borderLeft: "0" },
  ".cm-diagnosticAction": {
    font: "550 12px var(--font)", background: "none", color: "var(--accent)", border: "0", padding: "0 0 0 8px",
  },
  ".cm-panels": { background: "var(--surface)", color: "var(--ink)", borderTop: "1px solid var(--line)" },
});
