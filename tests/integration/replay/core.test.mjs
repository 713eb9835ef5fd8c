// Editing histories through the core: `weft replay FILE...`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshDirectory, runWeft } from "../../support-js/server.mjs";
import { replay, replayOk, storedHistories, writeHistory } from "./files.mjs";
import { concurrentHistory, seedFor, sequentialHistory, toGzip, toJson } from "./histories.mjs";

const figures = [
  "local_ms", "floor_write_ms", "remote_ms", "floor_read_ms", "patches_ms", "replay_rows_ms", "load_ms", "save_ms",
  "history_bytes", "state_bytes", "memory_bytes",
];

test("stored histories end with the recorded text", async () => {
  const stored = storedHistories();
  assert.ok(stored.length >= 2, "tests/data holds histories");
  const { reports } = await replayOk(stored.map((history) => history.path), ["--runs", "3"]);
  for (const report of reports) {
    for (const name of figures) assert.ok(report[name] > 0, `${report.file}: ${name} is ${report[name]}`);
    assert.equal(report.runs, 3);
  }
});

test("generated sequential histories, with and without a beginning", async (t) => {
  const directory = freshDirectory(t);
  const seed = seedFor(t);
  const starts = ["", "a\nb\r\n", "😀 start"];
  const histories = Array.from({ length: 12 }, (_, i) =>
    sequentialHistory(seed + i, { start: starts[i % 3], transactions: 300 }));
  const files = histories.map((history, i) => writeHistory(directory, `${i}.json`, toJson(history)));
  const { reports } = await replayOk(files);
  reports.forEach((report, i) => {
    assert.equal(report.kind, "sequential");
    assert.equal(report.edits, histories[i].txns.reduce((sum, txn) => sum + txn.patches.length, 0));
    assert.equal(report.authors, 1);
    assert.equal(report.text_bytes, Buffer.byteLength(histories[i].endContent));
  });
});

test("generated concurrent histories end as the naive RGA says", async (t) => {
  const directory = freshDirectory(t);
  const seed = seedFor(t);
  const shapes = [
    { authors: 2 },
    { authors: 2, learnChance: 0.9 },
    { authors: 5 },
    { authors: 5, learn: "all", learnChance: 0.05 },
    { authors: 3, branches: 3 },
    { authors: 12, learnChance: 0.02 },
  ];
  const histories = Array.from({ length: 12 }, (_, i) => concurrentHistory(seed + i, shapes[i % 6]));
  const files = histories.map((history, i) => writeHistory(directory, `${i}.json.gz`, toGzip(history)));
  const { reports } = await replayOk(files);
  reports.forEach((report, i) => {
    const { authors, branches = 1 } = shapes[i % 6];
    assert.equal(report.kind, "concurrent");
    assert.equal(report.authors, authors + branches - 1, "each branch is an author");
  });
});

test("a history without edits, and one that only begins", async (t) => {
  const directory = freshDirectory(t);
  await replayOk([
    writeHistory(directory, "nothing.json", toJson({ startContent: "", endContent: "", txns: [] })),
    writeHistory(directory, "start.json", toJson({ startContent: "é", endContent: "é", txns: [] })),
    writeHistory(directory, "empty-txn.json", toJson({ startContent: "x", endContent: "x", txns: [{ patches: [] }] })),
    writeHistory(directory, "nobody.json",
      toJson({ kind: "concurrent", endContent: "", numAgents: 3, txns: [] })),
  ]);
});

test("a text that is not the recorded one is told, and the other files are still played", async (t) => {
  const directory = freshDirectory(t);
  const right = sequentialHistory(1, { transactions: 20 });
  const wrong = { ...right, endContent: `${right.endContent}!` };
  const { code, reports } = await replay([
    writeHistory(directory, "wrong.json", toJson(wrong)),
    writeHistory(directory, "right.json", toJson(right)),
  ]);
  assert.equal(code, 1);
  assert.equal(reports[0].ok, false);
  assert.match(reports[0].problem, /endContent/);
  assert.equal(reports[1].ok, true);
});

test("with --json figures are medians of eleven runs, if nothing else is said", async (t) => {
  const directory = freshDirectory(t);
  const file = writeHistory(directory, "a.json", toJson(sequentialHistory(1, { transactions: 20 })));
  for (const [args, runs] of [[[], 11], [["--runs", "2"], 2]]) {
    const { reports } = await replayOk([file], args);
    assert.equal(reports[0].runs, runs);
  }
});

test("without --json: one aligned line a file", async (t) => {
  const directory = freshDirectory(t);
  const files = ["a.json", "a-longer-name.json"].map((name, i) =>
    writeHistory(directory, name, toJson(sequentialHistory(i, { transactions: 10 }))));
  const { code, stdout } = await runWeft(["replay", ...files]);
  assert.equal(code, 0);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 2);
  for (const line of lines) assert.match(line, /^ok +a\S*\.json +\d+ edits +1 author/);
  assert.equal(lines[0].indexOf(" edits"), lines[1].indexOf(" edits"));
});
