// Where the caret is, as the bar below the text says it.
import type { Connection } from "@weft/client";
import type { EditorView } from "@codemirror/view";

export interface Place {
  readonly line: number;
  readonly column: number;
  /** Selected characters, 0 for a caret. */
  readonly selected: number;
  readonly carets: number;
  readonly lines: number;
}

export function placeOf(view: EditorView, connection: Connection): Place {
  const { main, ranges } = view.state.selection;
  const line = view.state.doc.lineAt(main.head);
  // Columns count characters as the core does, not code units.
  const at = connection.document?.lineColumn(main.head);
  return {
    line: line.number,
    column: (at?.column ?? main.head - line.from) + 1,
    selected: ranges.reduce((sum, range) => sum + range.to - range.from, 0),
    carets: ranges.length,
    lines: view.state.doc.lines,
  };
}
