// The runner of `./dev test` itself: whatever was not shown to work counts as failed.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { read_exit, read_gtest, read_node } from "../../tools/testing/results.mjs";
import { Scheduler } from "../../tools/testing/scheduler.mjs";

const gtest_report = (...tests) => ({ testsuites: [{ name: "Suite", testsuite: tests }] });
const counts = ({ passed, failed }) => [passed, failed];

test("gtest: cases are counted, and what did not run has failed", () => {
  const good = { name: "good", result: "COMPLETED" };
  const bad = { name: "bad", result: "COMPLETED", failures: [{ failure: "1 != 2" }] };
  const skipped = { name: "skipped", result: "SKIPPED" };
  const disabled = { name: "DISABLED_x", result: "SUPPRESSED" };
  assert.deepEqual(counts(read_gtest(gtest_report(good, good), "", "exit 0")), [2, 0]);
  assert.deepEqual(counts(read_gtest(gtest_report(good, bad, skipped, disabled), "", "exit 1")), [1, 3]);
  assert.deepEqual(counts(read_gtest(gtest_report(), "", "exit 0")), [0, 1]);
  assert.deepEqual(counts(read_gtest(gtest_report(good), "", "exit 66")), [1, 1]);
  assert.deepEqual(counts(read_gtest(null, "[       OK ] a\n[       OK ] b\n", "ended by SIGSEGV")), [2, 1]);
});

test("node: both forms of the summary; skipped and missing ones have failed", () => {
  const summary = (mark, ...values) =>
    ["pass", "fail", "cancelled", "skipped", "todo"].map((word, i) => `${mark} ${word} ${values[i]}`).join("\n");
  assert.deepEqual(counts(read_node(summary("#", 5, 0, 0, 0, 0), "exit 0")), [5, 0]);
  assert.deepEqual(counts(read_node(summary("ℹ", 5, 1, 0, 0, 0), "exit 1")), [5, 1]);
  assert.deepEqual(counts(read_node(summary("#", 5, 0, 1, 1, 1), "exit 0")), [5, 3]);
  assert.deepEqual(counts(read_node(summary("#", 5, 0, 0, 0, 0), "exit 1")), [5, 1]);
  assert.deepEqual(counts(read_node(summary("#", 0, 0, 0, 0, 0), "exit 0")), [0, 1]);
  assert.deepEqual(counts(read_node("", "ended by SIGKILL")), [0, 1]);
});

async function run_tasks(tasks, slots = 2) {
  const folder = mkdtempSync(join(tmpdir(), "runner-"));
  const results = {};
  const scheduler = new Scheduler(slots, (task, result) => (results[task.name] = result));
  const common = { stage: "x", cwd: folder, limit_s: 20, log: join(folder, "log"), read: read_exit };
  try {
    await scheduler.run(tasks.map((task) => (task.expand ? task : { ...common, ...task })));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

test("a task that passes its time limit is ended with all its children", async () => {
  const start = Date.now();
  const command = ["bash", "-c", "sleep 30 & wait"];
  const results = await run_tasks([{ name: "slow", command, limit_s: 1 }]);
  assert.deepEqual(counts(results.slow), [0, 1]);
  assert.match(results.slow.messages[0], /within 1 s/);
  assert.ok(Date.now() - start < 15_000);
});

test("what needs something that failed counts as failed", async () => {
  const results = await run_tasks([
    { name: "build", command: ["false"], read: undefined },
    { name: "tests", command: ["true"], needs: ["build"] },
    { name: "found", stage: "x", needs: ["build"], expand: () => assert.fail("must not be asked") },
    { name: "orphan", command: ["true"], needs: ["nobody"] },
    { name: "good build", command: ["true"], read: undefined },
    { name: "good", command: ["true"], needs: ["good build"] },
    { name: "missing", command: ["/no/such/program"] },
    { name: "empty", stage: "x", needs: [], expand: () => [] },
  ]);
  for (const name of ["tests", "found", "orphan", "missing", "empty"]) {
    assert.deepEqual(counts(results[name]), [0, 1], name);
  }
  assert.deepEqual(counts(results.good), [1, 0]);
});

test("slots bound what runs at once", async () => {
  const beat = "f=$(mktemp one.XXXX); sleep 0.3; set -- one.*; rm $f; echo $#";
  const read = (output, exit) => ({ ...read_exit(output, exit), seen: Number(output) });
  const tasks = [1, 2, 3, 4].map((i) => ({ name: `t${i}`, command: ["bash", "-c", beat], read }));
  const two = Object.values(await run_tasks(tasks, 2)).map((result) => result.seen);
  assert.ok(Math.max(...two) <= 2, String(two));
  const wide = tasks.map((task) => ({ ...task, slots: 2 }));
  const one = Object.values(await run_tasks(wide, 2)).map((result) => result.seen);
  assert.deepEqual(one, [1, 1, 1, 1]);
});
