// The CodeMirror 6 binding: `weft(connection, …)` is the extension that keeps an editor and a connection's
// document equal, and shows who else is there.
//
// Local transactions become edits of the core at once, change by change in document order. What others
// did arrives as one transaction with the annotation `remoteChange`, outside the undo history, so undo
// is each user's own. The editor's text and the core's are equal after every update.
import {
  Annotation,
  ChangeSet,
  Compartment,
  EditorSelection,
  EditorState,
  StateEffect,
  Text,
  Transaction,
  type ChangeSpec,
  type Extension,
  type SelectionRange,
  type TransactionSpec,
} from "@codemirror/state";
import { ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from "@codemirror/view";
import type { Connection } from "./connection.js";
import { EditOutcome, Side, type Anchor, type Patch, type WeftDocument } from "./core.js";
import { RemoteCursors, cursorTheme } from "./cursors.js";
import { cleanText, difference, insidePair } from "./text.js";

export interface User {
  readonly name: string;
  /** 0xRRGGBB */
  readonly colour: number;
}

/** Marks transactions that came from the connection. */
export const remoteChange = Annotation.define<boolean>();
/** To be dispatched when what `user` answers has changed. */
export const userChanged = StateEffect.define<null>();
const cursorsChanged = StateEffect.define<null>();

/** The whole extension. One per editor. */
export function weft(connection: Connection, user: () => User): Extension {
  const writable = new Compartment();
  const plugin = ViewPlugin.define((view) => new Binding(view, connection, user, writable), {
    decorations: (binding) => binding.decorations,
  });
  return [
    writable.of(EditorState.readOnly.of(!connection.editable)),
    EditorState.changeFilter.of((tr) => connection.editable || tr.annotation(remoteChange) === true),
    EditorState.transactionFilter.of(cleanTransaction),
    plugin,
    cursorTheme,
  ];
}

/** Patches, each relative to the text after those before it, as one change of a text of `length`. */
export function changesOf(patches: readonly Patch[], length: number): ChangeSet {
  const steps = patches.map(({ at, erased, inserted }) => {
    // Not as a string: CodeMirror would take a CR inside for a line end and count differently.
    const step = ChangeSet.of(
      { from: at, to: at + erased, insert: Text.of(inserted.split("\n")) },
      length,
    );
    length = step.newLength;
    return step;
  });
  if (steps.length === 0) return ChangeSet.empty(length);
  // Pairwise, because composing one by one costs the square of their number.
  let round = steps;
  while (round.length > 1) {
    const next: ChangeSet[] = [];
    for (let i = 0; i < round.length; i += 2) {
      const right = round[i + 1];
      next.push(right === undefined ? round[i]! : round[i]!.compose(right));
    }
    round = next;
  }
  return round[0]!;
}

/** Carries a local transaction out on the connection. False when the two texts may differ now. */
export function pushChanges(connection: Connection, changes: ChangeSet): boolean {
  let equal = true;
  changes.iterChanges((fromA, toA, fromB, _toB, inserted) => {
    // Changes come in ascending order, so fromB is the place in the text with those before it done.
    const text = inserted.toString();
    const erased = connection.erase(fromB, toA - fromA);
    const put = text === "" ? EditOutcome.done : connection.insert(fromB, text);
    equal &&= erased === EditOutcome.done && put === EditOutcome.done && cleanText(text) === text;
  });
  return equal;
}

/** Makes a user's transaction one that the core can take: whole characters, nothing unacceptable. */
export function cleanTransaction(tr: Transaction): TransactionSpec | readonly TransactionSpec[] {
  if (!tr.docChanged || tr.annotation(remoteChange)) return tr;
  const doc = tr.startState.doc;
  const unit = (at: number) => doc.sliceString(at, at + 1).charCodeAt(0);
  const inside = (at: number) => insidePair(unit, at, doc.length);
  const changes: ChangeSpec[] = [];
  let clean = true;
  tr.changes.iterChanges((fromA, toA, _fromB, _toB, inserted) => {
    const from = inside(fromA) ? fromA - 1 : fromA;
    const to = !inside(toA) ? toA : fromA === toA ? from : toA + 1;
    const text = inserted.toString();
    const insert = cleanText(text);
    clean &&= from === fromA && to === toA && insert === text;
    changes.push({ from, to, insert: Text.of(insert.split("\n")) });
  });
  if (clean) return tr;
  const fixed = tr.startState.changes(changes);
  const spec: TransactionSpec = {
    changes: fixed,
    effects: tr.effects,
    scrollIntoView: tr.scrollIntoView,
  };
  const userEvent = tr.annotation(Transaction.userEvent);
  if (userEvent !== undefined) spec.userEvent = userEvent;
  if (tr.selection !== undefined) {
    const most = fixed.newLength;
    const within = (range: SelectionRange) =>
      EditorSelection.range(Math.min(range.anchor, most), Math.min(range.head, most));
    spec.selection = EditorSelection.create(
      tr.selection.ranges.map(within),
      tr.selection.mainIndex,
    );
  }
  return spec;
}

class Binding {
  readonly #view: EditorView;
  readonly #connection: Connection;
  readonly #user: () => User;
  readonly #writable: Compartment;
  readonly #cursors: RemoteCursors;
  readonly #stops: (() => void)[];
  #document: WeftDocument | null;
  #alive = true;

  constructor(
    view: EditorView,
    connection: Connection,
    user: () => User,
    writable: Compartment,
  ) {
    this.#view = view;
    this.#connection = connection;
    this.#user = user;
    this.#writable = writable;
    this.#document = connection.document;
    this.#cursors = new RemoteCursors(() => this.#dispatch({ effects: cursorsChanged.of(null) }));
    this.#stops = [
      connection.on("patches", (patches) => this.#follow(patches)),
      connection.on("document", (document) => this.#replace(document)),
      connection.on("state", () => this.#allowWriting()),
      connection.on("access", () => this.#allowWriting()),
      connection.on("peers", (peers) => {
        this.#cursors.show(peers);
        this.#dispatch({ effects: cursorsChanged.of(null) });
      }),
    ];
    // An editor that opens on a connection which is live already; no dispatching from in here.
    if (this.#document !== null) queueMicrotask(() => this.#mend());
  }

  get decorations(): DecorationSet {
    return this.#cursors.decorations;
  }

  update(update: ViewUpdate): void {
    let local = false;
    for (const tr of update.transactions) {
      if (!tr.docChanged || tr.annotation(remoteChange)) continue;
      local = true;
      if (!pushChanges(this.#connection, tr.changes)) queueMicrotask(() => this.#mend());
    }
    const effects = update.transactions.flatMap((tr) => tr.effects);
    const moved = update.selectionSet && !update.transactions.every(isRemote);
    if (local || moved || update.focusChanged || effects.some((e) => e.is(userChanged))) {
      this.#tellPresence(update.state);
    }
    if (update.docChanged || effects.some((e) => e.is(cursorsChanged))) {
      this.#cursors.update(this.#document, update.state.doc, update.changes);
    }
  }

  destroy(): void {
    this.#alive = false;
    this.#cursors.stop();
    for (const stop of this.#stops) stop();
  }

  #follow(patches: readonly Patch[]): void {
    const before = this.#view.state.doc.length;
    const grown = patches.reduce((sum, p) => sum + p.inserted.length - p.erased, 0);
    // A text that was being mended when this came: the patches would miss their places.
    if (this.#document === null || before + grown !== this.#document.length) return this.#mend();
    this.#dispatch({ changes: changesOf(patches, before), annotations: fromOutside() });
  }

  /** Another object holds the document now: the selection stays at the elements where it was. */
  #replace(document: WeftDocument | null): void {
    const old = this.#document;
    this.#document = document;
    if (document !== null) {
      const { selection } = this.#view.state;
      const places = selection.ranges.map((range) => {
        if (old === null) return null;
        const anchor = document.resolve(old.anchorAt(range.anchor, Side.after));
        const head = document.resolve(old.anchorAt(range.head, Side.after));
        return anchor === null || head === null ? null : EditorSelection.range(anchor, head);
      });
      this.#mend();
      if (places.every((place) => place !== null)) {
        this.#dispatch({ selection: EditorSelection.create(places, selection.mainIndex) });
      }
      this.#tellPresence(this.#view.state);
    }
    this.#allowWriting();
  }

  /** Makes the editor show the core's text, whatever happened. */
  #mend(): void {
    if (this.#document === null || !this.#alive) return;
    const change = difference(this.#view.state.doc.toString(), this.#document.text());
    if (change === null) return;
    this.#dispatch({
      changes: changesOf([change], this.#view.state.doc.length),
      annotations: fromOutside(),
    });
  }

  #allowWriting(): void {
    const readOnly = !this.#connection.editable;
    if (this.#view.state.readOnly === readOnly) return;
    this.#dispatch({ effects: this.#writable.reconfigure(EditorState.readOnly.of(readOnly)) });
  }

  #tellPresence(state: EditorState): void {
    const document = this.#document;
    if (document === null || document !== this.#connection.document) return;
    const { ranges, mainIndex } = state.selection;
    const ordered = [ranges[mainIndex]!, ...ranges.filter((_, i) => i !== mainIndex)];
    const selections = ordered.slice(0, 16).map((range) => {
      // A caret sticks to what is right of it, so that it moves along with what its owner types;
      // a selection sticks to what it covers.
      const start = (at: number) => stickRight(document, at);
      const end = (at: number) => document.anchorAt(at, Side.after);
      if (range.empty) return { anchor: start(range.head), head: start(range.head) };
      return range.anchor < range.head
        ? { anchor: start(range.anchor), head: end(range.head) }
        : { anchor: end(range.anchor), head: start(range.head) };
    });
    this.#connection.setPresence({ ...this.#user(), selections });
  }

  #dispatch(spec: TransactionSpec): void {
    if (this.#alive) this.#view.dispatch(spec);
  }
}

function stickRight(document: WeftDocument, at: number): Anchor {
  return document.anchorAt(at, at < document.length ? Side.before : Side.after);
}

function isRemote(tr: Transaction): boolean {
  return tr.annotation(remoteChange) === true;
}

function fromOutside(): Annotation<boolean>[] {
  return [remoteChange.of(true), Transaction.addToHistory.of(false)];
}
