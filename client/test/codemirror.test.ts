// The binding's arithmetic, on editor states without a page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EditorSelection, EditorState, Text, Transaction, type ChangeSpec, type TransactionSpec } from "@codemirror/state";
import { history, undo } from "@codemirror/commands";
import { changesOf, cleanTransaction, pushChanges, remoteChange } from "../src/codemirror.js";
import type { Connection } from "../src/connection.js";
import { inkOn } from "../src/cursors.js";
import { Rng, loadCore, randomRange, randomText, seedFor } from "./support.js";

async function pair(text: string) {
  const document = (await loadCore()).newDocument(1);
  document.setSite(1);
  document.insert(0, text);
  // pushChanges asks for nothing but these two of a connection.
  const connection = document as unknown as Connection;
  const state = EditorState.create({
    doc: text,
    extensions: [
      history(),
      EditorState.allowMultipleSelections.of(true),
      EditorState.transactionFilter.of(cleanTransaction),
    ],
  });
  return { document, connection, state };
}

test("transactions with many changes reach the core at the right places", async () => {
  const rng = new Rng(seedFor("changes"));
  let { document, connection, state } = await pair("start 😀 here\n");
  for (let step = 0; step < 600; ++step) {
    const text = state.doc.toString();
    const changes: ChangeSpec[] = [];
    let at = 0;
    for (let k = rng.below(4) + 1; k > 0 && at < text.length; --k) {
      const [from, to] = randomRange(rng, text.slice(at), 6);
      changes.push({ from: at + from, to: at + to, insert: rng.chance(0.6) ? randomText(rng, 3) : "" });
      at += to + 1;
      while (at < text.length && (text.charCodeAt(at) & 0xfc00) === 0xdc00) ++at;
    }
    const tr = state.update({ changes });
    assert.ok(pushChanges(connection, tr.changes));
    state = tr.state;
    assert.equal(document.text(), state.doc.toString());
  }
});

test("patches become one change that gives the core's text", async () => {
  const rng = new Rng(seedFor("patches"));
  const core = await loadCore();
  const author = core.newDocument(1);
  author.setSite(1);
  const reader = core.newDocument(1);
  let doc = Text.of([""]);
  for (let round = 0; round < 30; ++round) {
    for (let k = rng.below(60); k >= 0; --k) {
      const text = author.text();
      const [from, to] = randomRange(rng, text, 9);
      if (rng.chance(0.4)) author.erase(from, to - from);
      else author.insert(from, rng.chance(0.1) ? "a\r\nb\rc" : randomText(rng));
    }
    const { patches } = reader.apply(author.takeOps());
    doc = changesOf(patches, doc.length).apply(doc);
    assert.equal(doc.length, reader.length);
    assert.equal(doc.sliceString(0, undefined, "\n"), reader.text());
  }
});

test("what the core cannot hold is cleaned before it enters the editor", async () => {
  const { document, connection, state } = await pair("a😀b");
  const apply = (spec: TransactionSpec) => {
    const tr = state.update(spec);
    assert.ok(pushChanges(connection, tr.changes));
    assert.equal(document.text(), tr.state.doc.toString());
    const text = document.text();
    document.erase(0, document.length);
    document.insert(0, "a😀b");
    return text;
  };
  assert.equal(apply({ changes: { from: 1, insert: "\ud83d" } }), "a\ufffd😀b");
  assert.equal(apply({ changes: { from: 1, insert: "x\0y" } }), "ax\ufffdy😀b");
  assert.equal(apply({ changes: { from: 2, insert: "|" } }), "a|😀b");
  assert.equal(apply({ changes: { from: 2, to: 3 } }), "ab");
  assert.equal(apply({ changes: { from: 1, to: 2, insert: "z" } }), "azb");
  assert.equal(apply({ changes: { from: 0, insert: "1\r\n2\r3" } }), "1\n2\n3a😀b");
  const moved = state.update({
    changes: { from: 2, to: 4, insert: "long" },
    selection: EditorSelection.cursor(6),
    userEvent: "input.paste",
  });
  assert.equal(moved.annotation(Transaction.userEvent), "input.paste");
  assert.ok(moved.newSelection.main.head <= moved.newDoc.length);
});

test("undo is each user's own", async () => {
  const { connection, document, state } = await pair("");
  let now = state;
  const dispatch = (tr: Transaction) => {
    if (tr.docChanged && !tr.annotation(remoteChange)) assert.ok(pushChanges(connection, tr.changes));
    now = tr.state;
  };
  dispatch(now.update({ changes: { from: 0, insert: "mine" }, userEvent: "input.type" }));
  document.insert(0, "theirs ");
  dispatch(
    now.update({
      changes: changesOf([{ at: 0, erased: 0, inserted: "theirs " }], 4),
      annotations: [remoteChange.of(true), Transaction.addToHistory.of(false)],
    }),
  );
  undo({ state: now, dispatch });
  assert.equal(now.doc.toString(), "theirs ");
  assert.equal(document.text(), "theirs ");
});

test("names are readable on every colour", () => {
  assert.equal(inkOn("#ffffff"), "#101014");
  assert.equal(inkOn("#1a1a80"), "#ffffff");
});
