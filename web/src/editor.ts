// CodeMirror as this page sets it up.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, codeFolding, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import {
  EditorView,
  crosshairCursor,
  drawSelection,
  dropCursor,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  rectangularSelection,
} from "@codemirror/view";
import { editorTheme } from "./editor_theme.js";
import type { Language } from "./languages.js";

export function createEditor(options: {
  language: Language;
  binding: Extension;
  /** The selection or the text has changed. */
  moved: () => void;
}): EditorView {
  const language = new Compartment();
  const view = new EditorView({
    state: EditorState.create({
      extensions: [
        options.binding,
        language.of([]),
        editorTheme,
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightSpecialChars(),
        history(),
        foldGutter({ openText: "⌄", closedText: "›" }),
        codeFolding(),
        drawSelection(),
        dropCursor(),
        EditorState.allowMultipleSelections.of(true),
        indentUnit.of("  "),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        rectangularSelection(),
        crosshairCursor(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        keymap.of([
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...foldKeymap,
          ...completionKeymap,
          indentWithTab,
        ]),
        EditorView.contentAttributes.of({ "aria-label": "Text of the document", spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged || update.selectionSet) options.moved();
        }),
      ],
    }),
  });
  void options.language.load().then((support) => {
    view.dispatch({ effects: language.reconfigure(support) });
  });
  return view;
}
