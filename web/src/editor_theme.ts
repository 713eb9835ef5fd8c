// The editor's looks, all in the page's own variables, so that light and dark need no second theme.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";

const highlight = HighlightStyle.define([
  { tag: [t.comment, t.meta], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [t.keyword, t.modifier, t.operatorKeyword, t.controlKeyword], color: "var(--code-keyword)" },
  { tag: [t.string, t.special(t.string), t.character, t.attributeValue], color: "var(--code-string)" },
  { tag: [t.number, t.bool, t.null, t.atom, t.unit, t.color], color: "var(--code-number)" },
  { tag: [t.typeName, t.className, t.namespace, t.standard(t.typeName)], color: "var(--code-type)" },
  {
    tag: [t.function(t.variableName), t.function(t.propertyName), t.definition(t.function(t.variableName))],
    color: "var(--code-function)",
  },
  { tag: [t.propertyName, t.attributeName, t.definition(t.propertyName)], color: "var(--code-property)" },
  { tag: [t.macroName, t.processingInstruction, t.labelName], color: "var(--code-macro)" },
  { tag: [t.regexp, t.escape, t.special(t.variableName)], color: "var(--code-escape)" },
  { tag: [t.operator, t.punctuation, t.bracket, t.separator], color: "var(--code-punctuation)" },
  { tag: [t.tagName, t.heading], color: "var(--code-keyword)" },
  { tag: t.heading, fontWeight: "650" },
  { tag: t.strong, fontWeight: "650" },
  { tag: t.emphasis, fontStyle: "italic" },
  { tag: t.strikethrough, textDecoration: "line-through" },
  { tag: [t.link, t.url], color: "var(--code-function)", textDecoration: "underline" },
  { tag: t.inserted, color: "var(--good)" },
  { tag: t.deleted, color: "var(--bad)" },
  { tag: t.invalid, color: "var(--bad)" },
]);

const looks = EditorView.theme({
  "&": { "--weft-caret-font": "var(--sans)", height: "100%", color: "var(--ink)", backgroundColor: "var(--paper)", fontSize: "14px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.62", fontFeatureSettings: '"calt" 0' },
  ".cm-content": { padding: "14px 0 40vh", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 18px 0 10px" },
  ".cm-gutters": { color: "var(--faint)", backgroundColor: "var(--paper)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 6px 0 20px", minWidth: "3.2em" },
  ".cm-foldGutter .cm-gutterElement": { color: "var(--faint)", padding: "0 4px", cursor: "pointer" },
  ".cm-activeLine": { backgroundColor: "var(--line-now)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  ".cm-cursor, .cm-dropCursor": { borderLeft: "2px solid var(--ink)", marginLeft: "-1px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { backgroundColor: "var(--selection) !important" },
  ".cm-selectionMatch": { backgroundColor: "var(--match)", borderRadius: "2px" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--match)",
    outline: "1px solid var(--edge)",
    borderRadius: "2px",
  },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--raised)",
    border: "1px solid var(--edge)",
    color: "var(--quiet)",
    padding: "0 6px",
  },
  ".cm-panels": { color: "var(--ink)", backgroundColor: "var(--raised)", fontFamily: "var(--sans)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--edge)" },
  ".cm-panel.cm-search": { padding: "10px 16px", fontSize: "13px" },
  ".cm-textfield": {
    color: "var(--ink)",
    backgroundColor: "var(--paper)",
    border: "1px solid var(--edge)",
    borderRadius: "6px",
    padding: "4px 8px",
  },
  ".cm-button": {
    color: "var(--ink)",
    backgroundImage: "none",
    backgroundColor: "var(--paper)",
    border: "1px solid var(--edge)",
    borderRadius: "6px",
    padding: "4px 10px",
  },
  ".cm-searchMatch": { backgroundColor: "var(--match)", outline: "1px solid var(--edge)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--selection)" },
  ".cm-tooltip": {
    color: "var(--ink)",
    backgroundColor: "var(--raised)",
    border: "1px solid var(--edge)",
    borderRadius: "8px",
    boxShadow: "var(--shadow)",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    color: "var(--accent-ink)",
    backgroundColor: "var(--accent)",
  },
  ".cm-placeholder": { color: "var(--faint)" },
});

export const editorTheme: Extension = [looks, syntaxHighlighting(highlight)];
