// Reads what test programs report into counts. Whatever was not run counts as failed: a disabled,
// skipped or crashed test has not shown anything.

/** One program's outcome: how many cases passed and failed, and what to print about the failures. */
export const outcome = (passed, failed, messages = []) => ({ passed, failed, messages });

/** The report of --gtest_output=json, or null when there is none (a crash), and the whole output. */
export function read_gtest(report, output, exit) {
  if (report === null) {
    const passed = (output.match(/^\[ {7}OK \]/gm) ?? []).length;
    return outcome(passed, 1, [`no report (${exit}); the last lines were:`, tail(output, 60)]);
  }
  let passed = 0;
  const messages = [];
  for (const suite of report.testsuites ?? []) {
    for (const test of suite.testsuite ?? []) {
      const name = `${suite.name}.${test.name}`;
      if (test.failures?.length > 0) {
        messages.push(`${name}\n${test.failures.map((f) => f.failure).join("\n")}`);
      } else if (test.result !== "COMPLETED") {
        messages.push(`${name} was not run (${test.result})`);
      } else {
        passed += 1;
      }
    }
  }
  const failed = messages.length;
  if (failed === 0 && exit !== "exit 0") return outcome(passed, 1, [exit, tail(output, 60)]);
  if (failed === 0 && passed === 0) return outcome(0, 1, ["the program has no tests"]);
  return outcome(passed, failed, messages);
}

/** The summary of node's runner, in its tap or its spec form. */
export function read_node(output, exit) {
  const count = (word) => {
    const found = [...output.matchAll(new RegExp(`^(?:#|ℹ) ${word} (\\d+)$`, "gm"))].at(-1);
    return found ? Number(found[1]) : null;
  };
  const passed = count("pass");
  if (passed === null) return outcome(0, 1, [`no summary (${exit})`, tail(output, 60)]);
  const failed = count("fail") + count("cancelled") + count("skipped") + count("todo");
  const details = failed_blocks(output) || tail(output, 60);
  if (failed > 0) return outcome(passed, failed, [details]);
  if (exit !== "exit 0") return outcome(passed, 1, [exit, tail(output, 60)]);
  if (passed === 0) return outcome(0, 1, ["no tests were found"]);
  return outcome(passed, 0);
}

/** A program that says yes or no by its exit code. */
export function read_exit(output, exit) {
  return exit === "exit 0" ? outcome(1, 0) : outcome(0, 1, [exit, tail(output, 60)]);
}

/** From each "not ok" line of tap up to the stack in its details. */
function failed_blocks(output) {
  const lines = output.split("\n");
  const blocks = [];
  for (let i = 0; i < lines.length; i += 1) {
    if (!/^\s*not ok |# [A-Z]{4}\b/.test(lines[i])) continue;
    let end = i + 1;
    while (end < lines.length && end - i < 60 && !/^\s*(stack:|\.\.\.|(not )?ok )/.test(lines[end])) end += 1;
    blocks.push(lines.slice(i, end).filter((line) => !/^\s*(---|duration_ms:|type:)/.test(line)).join("\n"));
  }
  return blocks.slice(0, 20).join("\n");
}

export function tail(text, lines) {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}
