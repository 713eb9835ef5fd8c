// The core as WebAssembly, through the client package, under node: the very module that a browser
// loads. `wasm_bench.mjs [--json] [--runs N] [FILE...]`; without files on generated histories.
// Figures are medians of wall time; sizes are of the module.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { concurrentHistory, sequentialHistory } from "../tests/integration/replay/histories.mjs";

const top = fileURLToPath(new URL("../", import.meta.url));
const wasm = readFileSync(process.env.WEFT_WASM ?? join(top, "build/wasm/weft.wasm"));
const { Core } = await import(pathToFileURL(join(top, "client/dist/core.js")));

const files = [];
let json = false;
let runs = 11;
const words = process.argv.slice(2);
while (words.length > 0) {
  const word = words.shift();
  if (word === "--json") json = true;
  else if (word === "--runs") runs = Math.max(1, Number(words.shift()) || 1);
  else if (word.startsWith("-")) {
    console.error("usage: ./dev bench wasm [--json] [--runs N] [FILE...]");
    process.exit(2);
  } else files.push(word);
}

const sources =
  files.length > 0
    ? files.map((path) => ({ name: basename(path), read: () => parse(readFileSync(path)) }))
    : [
        { name: "generated, 1 author", read: () => sequentialHistory(1, { transactions: 40_000 }) },
        { name: "generated, 3 authors", read: () => concurrentHistory(2, { transactions: 4_000 }) },
      ];
let good = true;
for (const { name, read } of sources) {
  let report;
  try {
    report = await measure(name, read());
  } catch (problem) {
    report = { file: name, ok: false, problem: String(problem?.message ?? problem) };
  }
  good &&= report.ok;
  console.log(json ? JSON.stringify(report) : table(report));
}
process.exit(good ? 0 : 1);

function parse(bytes) {
  return JSON.parse(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
}

async function measure(name, history) {
  const core = await Core.load(wasm);
  const steps = inUtf16(core, history);
  const figures = [];
  let problem = "";
  for (let i = 0; i < runs; ++i) {
    const run = play(core, history, steps);
    problem ||= run.problem;
    figures.push(run);
  }
  const median = (key) => round(figures.map((run) => run[key]).sort((a, b) => a - b)[runs >> 1]);
  return {
    file: name, ok: problem === "", ...(problem && { problem }),
    kind: steps.agents > 1 ? "concurrent" : "sequential", edits: steps.edits, authors: steps.agents, runs,
    local_ms: median("local"), local_taken_ms: median("taken"), remote_ms: median("remote"),
    remote_each_ms: median("each"), load_ms: median("load"), save_ms: median("save"), state_bytes: figures[0].bytes,
    module_bytes: wasm.length, module_gzip_bytes: gzipSync(wasm, { level: 9 }).length, clock: "wall",
  };
}

function round(value) {
  return Math.round(value * 1e4) / 1e4;
}

/**
 * The history as [what it learns, edits in UTF-16] per transaction. Histories count scalar values and
 * JavaScript code units; where they differ, a first untimed play tells the one from the other.
 */
function inUtf16(core, history) {
  const concurrent = history.kind === "concurrent";
  const agents = concurrent ? history.numAgents : 1;
  const wide = /[\u{10000}-\u{10ffff}]/u.test(JSON.stringify(history));
  const txns = history.startContent ? [{ agent: 0, patches: [[0, 0, history.startContent]] }] : [];
  const first = txns.length;
  txns.push(...history.txns);
  const docs = Array.from({ length: agents }, (_, i) => newSite(core, i + 1));
  const known = docs.map(() => new Set());
  const streams = [];
  const steps = [];
  let edits = 0;
  txns.forEach((txn, number) => {
    const agent = txn.agent ?? 0;
    const missing = [];
    const queue = concurrent && number >= first ? txn.parents.map((parent) => parent + first) : [];
    if (first > 0 && number > 0) queue.push(0);
    while (queue.length > 0) {
      const next = queue.pop();
      if (known[agent].has(next)) continue;
      known[agent].add(next);
      if ((txns[next].agent ?? 0) !== agent) missing.push(next);
      if (next >= first) queue.push(...(txns[next].parents ?? []).map((parent) => parent + first));
    }
    missing.sort((a, b) => a - b);
    for (const need of missing) docs[agent].apply(streams[need]);
    known[agent].add(number);
    const patches = [];
    for (const patch of txn.patches) {
      const [at, erased, inserted] = wide ? converted(docs[agent].text(), patch) : patch;
      edit(docs[agent], at, erased, inserted);
      patches.push([at, erased, inserted]);
      edits += 1;
    }
    streams.push(docs[agent].takeOps());
    steps.push({ agent, missing, patches });
  });
  for (const doc of docs) doc.free();
  return { steps, agents, edits: edits - first };
}

function converted(text, [at, erased, inserted]) {
  const scalars = [...text];
  const before = scalars.slice(0, at).join("").length;
  return [before, scalars.slice(at, at + erased).join("").length, inserted];
}

function newSite(core, sid) {
  const doc = core.newDocument();
  doc.setSite(sid);
  return doc;
}

function edit(doc, at, erased, inserted) {
  if (erased > 0 && doc.erase(at, erased) !== 0) throw new Error("an erase was refused");
  if (inserted !== "" && doc.insert(at, inserted) !== 0) throw new Error("an insert was refused");
}

function play(core, history, { steps, agents }) {
  const run = { problem: "" };
  const expect = (who, doc) => {
    if (doc.text() !== history.endContent) run.problem ||= `${who} holds another text`;
  };
  // Every edit by position; the operations of a turn are taken as bytes at its end.
  const { streams, docs, ms } = playLocal(core, steps, agents, false);
  run.local = ms;
  for (const doc of docs) doc.free();
  // The same, and the bytes are taken edit by edit.
  const taken = playLocal(core, steps, agents, true);
  run.taken = taken.ms;
  for (const doc of taken.docs) doc.free();

  const all = Buffer.concat(streams);
  const reader = core.newDocument();
  let begin = performance.now();
  applyRaw(core, reader, all);
  run.remote = performance.now() - begin;
  expect("the reader", reader);

  const one = core.newDocument();
  const each = taken.streams;
  begin = performance.now();
  for (const stream of each) applyRaw(core, one, stream);
  run.each = performance.now() - begin;
  expect("the reader of single operations", one);

  begin = performance.now();
  const saved = reader.save();
  run.save = performance.now() - begin;
  run.bytes = saved.length;
  begin = performance.now();
  const loaded = core.loadDocument(saved);
  const text = loaded.text();
  run.load = performance.now() - begin;
  if (text !== history.endContent) run.problem ||= "the loaded document holds another text";
  if (loaded.stateHash() !== one.stateHash()) run.problem ||= "the states differ";
  for (const doc of [reader, one, loaded]) doc.free();
  return run;
}

/** Integrates as Core does, without making patches of JavaScript's: that is an editor's affair. */
function applyRaw(core, doc, stream) {
  if (doc.integrate(stream) !== 0) throw new Error("an operation was refused");
}

function playLocal(core, steps, agents, takeEach) {
  const docs = Array.from({ length: agents }, (_, i) => newSite(core, i + 1));
  const byStep = [];
  const streams = [];
  let ms = 0;
  let begin = 0;
  const alone = agents === 1;
  if (alone) begin = performance.now();
  for (const { agent, missing, patches } of steps) {
    const doc = docs[agent];
    for (const need of missing) for (const stream of byStep[need]) applyRaw(core, doc, stream);
    const own = [];
    if (!alone) begin = performance.now();
    for (const [at, erased, inserted] of patches) {
      edit(doc, at, erased, inserted);
      if (takeEach) own.push(doc.takeOps());
    }
    if (!takeEach && !alone) own.push(doc.takeOps());
    if (!alone) ms += performance.now() - begin;
    byStep.push(own);
    for (const stream of own) streams.push(stream);
  }
  if (alone) {
    if (!takeEach) streams.push(docs[0].takeOps());
    ms = performance.now() - begin;
  }
  return { docs, streams, ms };
}

function table(report) {
  if (!report.ok) return `${report.file}: FAILED: ${report.problem}`;
  const row = (what, value) => `  ${what.padEnd(44)} ${value}`;
  const ms = (value) => `${value.toFixed(3).padStart(9)} ms`;
  return [
    `\n${report.file}: ${report.edits} edits, ${report.authors} ${report.authors === 1 ? "author" : "authors"}`,
    row("local, every edit encoded", ms(report.local_ms)),
    row("the same, its bytes taken edit by edit", ms(report.local_taken_ms)),
    row("remote, operation by operation", ms(report.remote_ms)),
    row("the same, a call for each edit", ms(report.remote_each_ms)),
    row("load and text", ms(report.load_ms)),
    row("save", ms(report.save_ms)),
    row("module", `${report.module_bytes} bytes, ${report.module_gzip_bytes} gzipped`),
  ].join("\n");
}
