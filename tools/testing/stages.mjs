// What `./dev test` runs: the stages and their tasks. Tests are found, never listed: what ctest knows,
// every *.test.mjs under tests/, every fuzz_* program. A new test joins its stage by being there.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { read_exit, read_gtest, read_node } from "./results.mjs";

const top = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..");
const logs = join(top, "build/test-logs");

/** Stage name -> what it shows. In the order of the table. */
export const stages = {
  house: "layers, formats, types and documents",
  unit: "the rooms' own tests and the property tests, release build",
  asan: "the same with address and undefined-behaviour sanitizers",
  tsan: "the rooms with threads, and the server, with the thread sanitizer",
  node: "client, page, native against wasm, and the server's interfaces",
  replay: "editing histories through core, wasm and server",
  e2e: "two browsers",
  counts: "the core's instructions against bench/BASELINE.md",
  kill: "kill -9, and a full disk, while people type",
  fuzz: "every decoder, a minute each",
};

const fuzz_seconds = 60;

/** The tasks of the chosen stages, builds included. */
export function tasks_of(chosen, cores) {
  const tasks = [];
  const wants = (...names) => names.some((name) => chosen.includes(name));
  const needs_server = wants("unit", "node", "replay", "e2e", "kill", "counts");
  if (wants("house")) tasks.push(...house_tasks());
  if (needs_server) tasks.push(build_step("release", ["build_tests", "release"], 1800, cores));
  if (wants("unit")) tasks.push(native_stage("unit", "release", 600));
  if (wants("unit", "node", "replay", "e2e", "kill", "asan", "tsan")) tasks.push(...packages());
  if (wants("node")) tasks.push(...client_tasks());
  for (const stage of ["node", "replay", "e2e", "kill"]) {
    if (wants(stage)) tasks.push(...node_stage(stage));
  }
  if (wants("counts")) {
    const options = { needs: ["build release"], limit_s: 600 };
    tasks.push(task("counts", "core", [process.execPath, "bench/counts.mjs"], read_exit, options));
  }
  if (wants("asan")) {
    tasks.push(build_step("asan", ["build_tests", "asan"], 2400, cores));
    tasks.push(native_stage("asan", "asan", 900));
  }
  if (wants("tsan")) {
    tasks.push(build_step("tsan", ["build_tests", "tsan", "weft", ...threaded_tests()], 2400, cores));
    tasks.push(native_stage("tsan", "tsan", 900, threaded_tests()), tsan_smoke());
  }
  if (wants("fuzz")) {
    tasks.push(build_step("fuzz", ["build_fuzz"], 1800, cores));
    tasks.push({ name: "fuzz", stage: "fuzz", needs: ["build fuzz"], expand: () => fuzz_tasks(fuzz_seconds) });
  }
  return tasks;
}

function task(stage, name, command, read, options = {}) {
  const log = join(logs, stage, `${name.replace(/[^\w.-]+/g, "_")}.log`);
  return { stage, name: `${stage} ${name}`, command, read, cwd: top, limit_s: 300, log, ...options };
}

/** One step of tools/build.sh. Builds wait for each other: they share the page and the disk. */
function build_step(name, step, limit_s, cores) {
  return {
    ...task("build", name, ["bash", "tools/build.sh", ...step], undefined, { limit_s, slots: cores }),
    name: `build ${name}`,
  };
}

// --- house ----------------------------------------------------------------------------------------

function house_tasks() {
  const tests = found_in("tests/house").map((file) => node_test("house", file));
  const format = task(
    "house", "format",
    ["bash", "-c", ". tools/build.sh; cpp_sources | xargs -0 clang-format-14 --dry-run -Werror"],
    read_exit,
  );
  return [format, ...tests];
}

// --- native ---------------------------------------------------------------------------------------

/** Every program that ctest knows in build/PRESET, or only those named. */
function native_stage(stage, preset, limit_s, only) {
  const expand = () => {
    const listed = execFileSync("ctest", ["--test-dir", `build/${preset}`, "--show-only=json-v1"], {
      cwd: top,
      maxBuffer: 1 << 26,
    });
    return JSON.parse(listed)
      .tests.filter((test) => !only || only.includes(test.name))
      .map((test) => gtest_task(stage, test.name, test.command, limit_s));
  };
  // Some start what comes from npm.
  return { name: stage, stage, needs: [`build ${preset}`, "packages tests"], expand };
}

function gtest_task(stage, name, command, limit_s) {
  const report = join(logs, stage, `${name}.json`);
  rmSync(report, { force: true });
  if (!command) return task(stage, name, ["false"], () => ({ passed: 0, failed: 1, messages: ["not built"] }));
  const read = (output, exit) =>
    read_gtest(existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : null, output, exit);
  return task(stage, name, [...command, `--gtest_output=json:${report}`], read, {
    limit_s,
    env: sanitizer_options,
  });
}

/** A finding ends the program, so that it cannot pass by. */
const sanitizer_options = {
  ASAN_OPTIONS: "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
  UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
  TSAN_OPTIONS: "halt_on_error=1:second_deadlock_stack=1",
  LSAN_OPTIONS: "",
};

function threaded_tests() {
  return ["metrics", "collab", "storage", "bus", "server", "app"]
    .filter((room) => readdirSync(join(top, "src", room)).some((file) => file.endsWith("_test.cc")))
    .map((room) => `${room}_test`);
}

/** The interfaces' tests once more, against a server that watches its threads. */
function tsan_smoke() {
  const env = { ...sanitizer_options, WEFT_BIN: join(top, "build/tsan/weft") };
  const expand = () =>
    found_in("tests/integration/api").map((file) => node_test("tsan", file, { env, limit_s: 600 }));
  return { name: "tsan smoke", stage: "tsan", needs: ["build tsan", ...package_steps], expand };
}

// --- node -----------------------------------------------------------------------------------------

const package_folders = ["client", ...found_in("tests", "package.json").map(dirname)];
const package_steps = package_folders.map((folder) => `packages ${folder}`);

function packages() {
  return package_folders.map((folder) => ({
    ...task("build", folder, ["bash", "tools/build.sh", "npm_install", folder]),
    name: `packages ${folder}`,
  }));
}

function client_tasks() {
  const needs = ["build release", "packages client"];
  return [
    task("node", "client", ["npm", "--prefix", "client", "test"], read_node, {
      needs,
      env: { NODE_OPTIONS: "", WEFT_NATIVE_DRIVER: join(top, "build/release/native_driver") },
    }),
    task("node", "types of web", ["npm", "--prefix", "web", "run", "check"], read_exit, { needs }),
  ];
}

/** Each *.test.mjs under tests/ belongs to one stage, by its folder; to `node` when nothing else. */
function node_stage(stage) {
  const files = found_in("tests").filter((file) => stage_of(file) === stage);
  if (files.length === 0) return [{ name: `${stage} tests`, stage, needs: [], expand: () => [] }];
  const needs = ["build release", ...package_steps];
  const env = { WEFT_BIN: join(top, "build/release/weft") };
  const options = { kill: { limit_s: 900 }, e2e: { limit_s: 600, slots: 2 }, replay: { limit_s: 600 } };
  return files.map((file) => node_test(stage, file, { needs, env, ...options[stage] }));
}

function stage_of(file) {
  const special = { "tests/house": "house", "tests/e2e": "e2e", "tests/integration/kill": "kill",
                    "tests/integration/replay": "replay" };
  return Object.entries(special).find(([folder]) => file.startsWith(`${folder}/`))?.[1] ?? "node";
}

function node_test(stage, file, options) {
  const name = file.replace(/^tests\//, "").replace(/\.test\.mjs$/, "");
  return task(stage, name, [process.execPath, "--test", "--test-reporter=tap", file], read_node, options);
}

function found_in(folder, ending = ".test.mjs") {
  if (!existsSync(join(top, folder))) return [];
  return readdirSync(join(top, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : found_in(path, ending);
      return entry.name.endsWith(ending) ? [path] : [];
    })
    .sort();
}

// --- fuzz -----------------------------------------------------------------------------------------

/** Each program build/fuzz/fuzz_*, from a copy of its corpus. `seconds` each. */
export function fuzz_tasks(seconds, word = "") {
  return readdirSync(join(top, "build/fuzz"))
    .filter((name) => /^fuzz_[a-z0-9_]+$/.test(name) && name.includes(word))
    .map((name) => {
      const found = join(top, "build/fuzz-corpus", name);
      const seeds = join(top, "tests/fuzz/corpus", name);
      const artifacts = join(logs, "fuzz", `${name}-`);
      mkdirSync(found, { recursive: true });
      const command = [
        join(top, "build/fuzz", name), `-max_total_time=${seconds}`, "-timeout=10", "-rss_limit_mb=2048",
        "-print_final_stats=1", `-artifact_prefix=${artifacts}`, found,
      ];
      if (existsSync(seeds)) command.push(seeds);
      const options = { limit_s: seconds + 120, env: sanitizer_options };
      return task("fuzz", name, command, read_fuzz, options);
    });
}

/** Passed only when it ended by itself and has executed something. */
function read_fuzz(output, exit) {
  const runs = Number(/stat::number_of_executed_units:\s*(\d+)/.exec(output)?.[1] ?? 0);
  const result = read_exit(output, exit);
  if (result.passed > 0 && runs === 0) return { passed: 0, failed: 1, messages: ["nothing was executed"] };
  return { ...result, note: `${runs.toLocaleString("en")} inputs` };
}

export const place = { top, logs, short: (path) => relative(top, path) };
