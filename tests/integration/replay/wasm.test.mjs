// Editing histories through the core as WebAssembly, by the client package: the same texts, and the
// same states as the native core's.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { GapBuffer, typingHistory } from "../../../bench/typing_history.mjs";
import { freshDirectory } from "../../support-js/server.mjs";
import { storedHistories, writeHistory } from "./files.mjs";
import { Random, concurrentHistory, seedFor, sequentialHistory, toGzip, toJson } from "./histories.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
let compiled;
let core;

before(async () => {
  // The package as it is now, not as it was when somebody built it.
  compiled = mkdtempSync(join(root, "build/replay-client-"));
  execFileSync(process.execPath, [
    join(root, "client/node_modules/typescript/bin/tsc"), "-p", join(root, "client/tsconfig.json"),
    "--outDir", compiled, "--declaration", "false",
  ], { stdio: ["ignore", "inherit", "inherit"] });
  writeFileSync(join(compiled, "package.json"), '{ "type": "module" }');  // node 18 does not guess
  const { Core } = await import(pathToFileURL(join(compiled, "core.js")));
  const wasm = process.env.WEFT_WASM ?? join(root, "build/wasm/weft.wasm");
  assert.ok(existsSync(wasm), `${wasm} is missing: build the wasm preset`);
  core = await Core.load(readFileSync(wasm));
});

after(() => rmSync(compiled, { recursive: true, force: true }));

/**
 * One replica, with the text beside it as scalar values: histories count in those, JavaScript does
 * not. The text is needed only while it holds characters outside the Basic Multilingual Plane.
 */
class Replica {
  constructor(site, wide) {
    this.doc = core.newDocument();
    this.doc.setSite(site);
    this.scalars = wide ? [] : null;
  }
  #utf16(at) {
    if (this.scalars === null) return at;
    let length = 0;
    for (let i = 0; i < at; ++i) length += this.scalars[i].length;
    return length;
  }
  splice([at, erased, inserted]) {
    const from = this.#utf16(at);
    if (erased > 0) {
      assert.equal(this.doc.erase(from, this.#utf16(at + erased) - from), 0);
      this.scalars?.splice(at, erased);
    }
    if (inserted === "") return;
    assert.equal(this.doc.insert(from, inserted), 0);
    this.scalars?.splice(at, 0, ...inserted);
  }
  apply(stream) {
    assert.equal(this.doc.apply(stream).refused, 0);
    if (this.scalars !== null) this.scalars = [...this.doc.text()];
  }
}

/** Each agent's replica learns what a transaction was made on; in the end everybody learns all. */
function play(history) {
  const wide = /[\u{10000}-\u{10ffff}]/u.test(JSON.stringify(history));
  const agents = history.kind === "concurrent" ? history.numAgents : 1;
  const replicas = Array.from({ length: agents }, (_, i) => new Replica(i + 1, wide));
  const known = replicas.map(() => new Set());
  const streams = [];
  const learn = (agent, numbers) => {
    const missing = [];
    const queue = [...numbers];
    while (queue.length > 0) {
      const number = queue.pop();
      if (known[agent].has(number)) continue;
      known[agent].add(number);
      missing.push(number);
      queue.push(...(history.txns[number].parents ?? []));
    }
    for (const number of missing.sort((a, b) => a - b)) replicas[agent].apply(streams[number]);
  };
  if (history.startContent) replicas[0].splice([0, 0, history.startContent]);
  const start = replicas[0].doc.takeOps();
  history.txns.forEach((txn, number) => {
    const agent = txn.agent ?? 0;
    if (history.kind === "concurrent") learn(agent, txn.parents);
    for (const patch of txn.patches) replicas[agent].splice(patch);
    streams.push(replicas[agent].doc.takeOps());
    known[agent].add(number);
  });
  replicas.forEach((_, agent) => learn(agent, history.txns.keys()));
  const reader = new Replica(agents + 1, false);
  for (const stream of [start, ...streams]) reader.apply(stream);
  const loaded = core.loadDocument(reader.doc.save());
  const docs = [...replicas.map((replica) => replica.doc), reader.doc, loaded];
  const result = { texts: docs.map((doc) => doc.text()), hashes: docs.map((doc) => doc.stateHash()) };
  for (const doc of docs) doc.free();
  return result;
}

function check(history) {
  const { texts, hashes } = play(history);
  for (const text of texts) assert.ok(text === history.endContent, "the text is the recorded one");
  assert.equal(new Set(hashes).size, 1, "one state everywhere");
}

for (const { name, path } of storedHistories()) {
  test(`stored: ${name}`, () => {
    const bytes = readFileSync(path);
    check(JSON.parse(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes));
  });
}

test("generated sequential histories", (t) => {
  const seed = seedFor(t);
  for (let i = 0; i < 6; ++i) check(sequentialHistory(seed + i, { start: i % 2 ? "é😀\n" : "" }));
});

test("generated concurrent histories", (t) => {
  const seed = seedFor(t);
  for (let i = 0; i < 6; ++i) check(concurrentHistory(seed + i, { authors: 2 + (i % 3) }));
});

/** The reports of `./dev bench wasm --json`, which exits with 1 when one of them is not ok. */
function bench(files) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath, [join(root, "bench/wasm_bench.mjs"), "--json", "--runs", "1", ...files],
    { encoding: "utf8", env: { ...process.env, WEFT_CLIENT: compiled } });
  return { status, stderr, reports: stdout.trim().split("\n").map((line) => JSON.parse(line)) };
}

test("the benchmark ends every history with its text, also long and wide ones", (t) => {
  const directory = freshDirectory(t);
  const seed = seedFor(t);
  const files = storedHistories().map(({ path }) => path);
  files.push(
    writeHistory(directory, "long.json.gz", toGzip(typingHistory(200_000, { seed, wide: true }))),
    writeHistory(directory, "start.json", toJson(sequentialHistory(seed, { start: "é😀\n" }))),
    writeHistory(directory, "several.json", toJson(concurrentHistory(seed, { authors: 4 }))),
    writeHistory(directory, "branches.json", toJson(concurrentHistory(seed, { authors: 2, branches: 3 }))),
  );
  const { status, stderr, reports } = bench(files);
  assert.equal(status, 0, stderr + JSON.stringify(reports));
  assert.equal(reports.length, files.length);
  const figures = ["edits", "local_ms", "remote_ms", "load_ms", "module_bytes", "module_gzip_bytes"];
  for (const report of reports) {
    assert.equal(report.ok, true);
    for (const name of figures) assert.ok(report[name] > 0, `${report.file}: ${name} is ${report[name]}`);
  }
});

test("the benchmark refuses what is no history, or none that it knows", (t) => {
  const directory = freshDirectory(t);
  const concurrent = { kind: "concurrent", endContent: "a", numAgents: 1 };
  const patches = [[0, 0, "a"]];
  const files = Object.entries({
    "kind.json": { kind: "parallel", endContent: "", txns: [] },
    "agent.json": { ...concurrent, txns: [{ agent: 1, parents: [], patches }] },
    "parent.json": { ...concurrent, txns: [{ agent: 0, parents: [0], patches }] },
    "outside.json": { endContent: "a", txns: [{ patches: [[1, 0, "a"]] }] },
  }).map(([name, history]) => writeHistory(directory, name, toJson(history)));
  const { status, reports } = bench([...files, join(directory, "missing.json")]);
  assert.equal(status, 1);
  const problems = [/kind parallel/, /agent 1 of 1/, /parent to come/, /refused/, /ENOENT/];
  problems.forEach((problem, i) => {
    assert.equal(reports[i].ok, false);
    assert.match(reports[i].problem, problem);
  });
});

test("the benchmark tells a history that ends otherwise", (t) => {
  const wrong = { ...sequentialHistory(1, { transactions: 20 }), endContent: "something else" };
  const { status, reports } = bench([writeHistory(freshDirectory(t), "wrong.json", toJson(wrong))]);
  assert.equal(status, 1);
  assert.equal(reports[0].ok, false);
  assert.match(reports[0].problem, /another text/);
});

test("the gap buffer of the generated histories is an array of characters", (t) => {
  const random = new Random(seedFor(t));
  const buffer = new GapBuffer("é😀");
  const array = [..."é😀"];
  for (let i = 0; i < 20_000; ++i) {
    const at = random.below(array.length + 1);
    const erased = random.chance(0.4) ? random.below(Math.min(9, array.length - at) + 1) : 0;
    const inserted = random.pick(["", "a", "😀", "é😀漢", "a longer piece"]);
    const units = array.slice(0, at).join("").length;
    const erasedUnits = array.splice(at, erased, ...inserted).join("").length;
    assert.deepEqual(buffer.splice(at, erased, inserted), [units, erasedUnits]);
    if (array.length > 500) buffer.splice(100, array.splice(100).length, "");
  }
  assert.equal(buffer.toString(), array.join(""));
});
