// What the replay tests share: histories as files, and the program run on them.
import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runWeft } from "../../support-js/server.mjs";

const ownHistories = fileURLToPath(new URL("../../data/", import.meta.url));

/** The histories that lie in tests/data, and those in WEFT_TRACES, if it names a directory. */
export function storedHistories() {
  return [ownHistories, process.env.WEFT_TRACES ?? ""]
    .filter((folder) => folder !== "" && existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => /\.json(\.gz)?$/.test(path))
    .map((path) => ({ name: basename(path), path }));
}

export function writeHistory(directory, name, bytes) {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

/** Runs `weft replay --json`: the exit code, what it says on stderr, and one object per file. */
export async function replay(files, args = [], options = { timeoutMs: 120_000 }) {
  const result = await runWeft(["replay", "--json", ...args, ...files], options);
  assert.notEqual(result.code, null, `weft replay did not end: ${result.stderr}`);
  const reports = result.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  return { ...result, reports };
}

/** The same, for files that must all end as they should. */
export async function replayOk(files, args, options) {
  const result = await replay(files, args, options);
  for (const report of result.reports) assert.ok(report.ok, `${report.file}: ${report.problem}`);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.reports.length, files.length);
  return result;
}
