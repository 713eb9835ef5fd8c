// ./dev test [stage...]: runs the stages, shows what failed, prints a table, and ends with the line
// "N passed, N failed" about single test cases. A stage that cannot start has failed; nothing is
// skipped; everything has a time limit. Logs: build/test-logs.
import { rmSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { Scheduler } from "./testing/scheduler.mjs";
import { place, stages, tasks_of } from "./testing/stages.mjs";

const asked = process.argv.slice(2);
if (asked.includes("--list")) {
  for (const [name, what] of Object.entries(stages)) console.log(`${name.padEnd(8)} ${what}`);
  process.exit(0);
}
const unknown = asked.filter((name) => !(name in stages));
if (unknown.length > 0) {
  console.error(`./dev test: no stage '${unknown[0]}'; there are: ${Object.keys(stages).join(" ")}`);
  console.log("0 passed, 1 failed");
  process.exit(2);
}
const chosen = asked.length > 0 ? asked : Object.keys(stages);
const cores = availableParallelism?.() ?? cpus().length;
const began = Date.now();
const table = Object.fromEntries(chosen.map((name) => [name, { passed: 0, failed: 0, seconds: 0 }]));
let build_seconds = 0;

rmSync(place.logs, { recursive: true, force: true });
const scheduler = new Scheduler(Math.max(2, cores), (task, result, seconds) => {
  const row = table[task.stage];
  if (row) {
    row.passed += result.passed;
    row.failed += result.failed;
    row.seconds += seconds;
  } else {
    build_seconds += seconds;
  }
  const counts = task.read || result.failed > 0 ? `${result.passed} passed, ${result.failed} failed` : "done";
  const note = result.note ? `  ${result.note}` : "";
  console.log(`[${clock()}] ${task.name.padEnd(36)} ${counts}${note}  ${seconds.toFixed(1)} s`);
  if (result.messages.length > 0) {
    for (const message of result.messages) console.log(indented(message));
    if (task.log) console.log(`    log: ${place.short(task.log)}`);
  }
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    scheduler.stop();
    console.log(`stopped by ${signal}\n${verdict(1)}`);
    process.exit(1);
  });
}

await scheduler.run(tasks_of(chosen, cores));
print_table();
const failed = Object.values(table).reduce((sum, row) => sum + row.failed, 0);
console.log(verdict(0));
process.exit(failed > 0 ? 1 : 0);

function print_table() {
  console.log(`\n${"stage".padEnd(8)}${"passed".padStart(8)}${"failed".padStart(8)}${"seconds".padStart(9)}`);
  for (const [name, row] of Object.entries(table)) {
    const { passed, failed, seconds } = row;
    const mark = failed > 0 ? "FAILED" : "";
    const line = [String(passed).padStart(8), String(failed).padStart(8), seconds.toFixed(0).padStart(9)];
    console.log(`${name.padEnd(8)}${line.join("")}  ${mark || stages[name]}`);
  }
  console.log(`builds ${build_seconds.toFixed(0)} s, everything ${clock()} on ${cores} cores\n`);
}

function verdict(extra_failures) {
  const rows = Object.values(table);
  const passed = rows.reduce((sum, row) => sum + row.passed, 0);
  const failed = rows.reduce((sum, row) => sum + row.failed, extra_failures);
  return `${passed} passed, ${failed} failed`;
}

function clock() {
  const seconds = Math.round((Date.now() - began) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function indented(text) {
  return text.split("\n").map((line) => `    ${line}`).join("\n");
}
