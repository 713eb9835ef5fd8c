// The core as WebAssembly, through the client package, under node: the very module that a browser
// loads. `wasm_bench.mjs [--json] [--runs N] [FILE...]`; without files on generated histories.
// Figures are medians of wall time; sizes are of the module. docs/PERFORMANCE.md says what each is.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { concurrentHistory } from "../tests/integration/replay/histories.mjs";
import { typingHistory } from "./typing_history.mjs";
import { plan } from "./wasm_plan.mjs";
import { play } from "./wasm_play.mjs";

const top = fileURLToPath(new URL("../", import.meta.url));
const wasm = readFileSync(process.env.WEFT_WASM ?? join(top, "build/wasm/weft.wasm"));
const { Core } = await import(pathToFileURL(join(process.env.WEFT_CLIENT ?? join(top, "client/dist"), "core.js")));

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
        { name: "generated typing", read: () => typingHistory(260_000) },
        { name: "generated typing, wide characters", read: () => typingHistory(100_000, { seed: 2, wide: true }) },
        { name: "generated, 3 authors", read: () => concurrentHistory(3, { transactions: 1_500 }) },
      ];
let good = true;
for (const { name, read } of sources) {
  let report;
  try {
    report = await measure(name, read());
  } catch (problem) {
    report = { file: name, ok: false, edits: 0, problem: String(problem?.message ?? problem) };
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
  const planned = plan(core, history);
  const figures = [];
  for (let i = 0; i < runs; ++i) figures.push(play(core, history.endContent, planned));
  const problem = figures.find((run) => run.problem)?.problem;
  const median = (key) => round(figures.map((run) => run[key]).sort((a, b) => a - b)[runs >> 1]);
  return {
    file: name, ok: !problem, ...(problem && { problem }),
    kind: history.kind === "concurrent" ? "concurrent" : "sequential", edits: planned.edits,
    authors: planned.authors, runs,
    local_ms: median("local"), local_taken_ms: median("taken"), remote_ms: median("remote"),
    remote_each_ms: median("each"), load_ms: median("load"), save_ms: median("save"),
    state_bytes: figures[0].bytes, module_bytes: wasm.length,
    module_gzip_bytes: gzipSync(wasm, { level: 9 }).length, clock: "wall",
  };
}

function round(value) {
  return Math.round(value * 1e4) / 1e4;
}

function table(report) {
  if (!report.ok) return `${report.file}: FAILED: ${report.problem}`;
  const row = (what, value) => `  ${what.padEnd(44)} ${value}`;
  const ms = (value) => `${value.toFixed(3).padStart(9)} ms`;
  return [
    `\n${report.file}: ${report.edits} edits, ${report.authors} ${report.authors === 1 ? "author" : "authors"}`,
    row("local, the bytes of each edit taken at once", ms(report.local_ms)),
    row("the same, able to stand alone", ms(report.local_taken_ms)),
    row("remote, the stream of operations in one call", ms(report.remote_ms)),
    row("remote, a call for each edit", ms(report.remote_each_ms)),
    row("load and text", ms(report.load_ms)),
    row("save", ms(report.save_ms)),
    row("module", `${report.module_bytes} bytes, ${report.module_gzip_bytes} gzipped`),
  ].join("\n");
}
