// ./dev bench counts [--record]: the instructions of the core's main measures, by callgrind, against
// those recorded in bench/BASELINE.md. Unlike times they are the same on a busy machine, and nearly
// the same on another one with the same compiler and the same libc. Exit code 1 when one rose by more
// than 5 %.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const top = fileURLToPath(new URL("../", import.meta.url));
const baseline = join(top, "bench/BASELINE.md");
const program = process.env.WEFT_COUNTS_BENCH ?? join(top, "build/release/counts_bench");
const allowed = 1.05;
const measures = {
  local: "100,000 edits by position, each encoded",
  remote: "the same decoded and integrated, operation by operation",
  remote_each: "the same with a call for each operation",
  patches: "the same, giving an editor's patches",
  rows: "the same as run rows, as a log is replayed",
  merge: "10,000 characters prepended offline, onto 10,000 others",
  save: "the state as bytes",
  load: "and back, with its text",
};

// Which memcpy the libc takes depends on the processor, and with it up to 4 % of a count (measured:
// load, with and without AVX2). So here it takes what every x86-64 has. Others ignore the variable.
const plainest = ["AVX2", "AVX", "AVX_Fast_Unaligned_Load", "AVX512F", "AVX512VL", "AVX512BW", "BMI2", "ERMS", "FSRM",
  "RTM", "SSSE3", "SSE4_1", "SSE4_2"];
const environment = {
  ...process.env, GLIBC_TUNABLES: `glibc.cpu.hwcaps=${plainest.map((name) => `-${name}`).join(",")}`,
};

const counts = count();
if (process.argv.includes("--record")) {
  writeFileSync(baseline, page(counts));
  console.log(`recorded in ${baseline}`);
  process.exit(0);
}
const known = recorded();
if (!readFileSync(baseline, "utf8").includes(version("g++", "--version"))) {
  console.log(`recorded with another compiler than ${version("g++", "--version")}`);
}
let risen = 0;
for (const name of Object.keys(measures)) {
  const ratio = counts[name] / known[name];
  if (ratio > allowed) ++risen;
  const note = ratio > allowed ? "  ROSE" : ratio < 1 / allowed ? "  fell: record the new baseline" : "";
  console.log(
    `${name.padEnd(12)} ${String(counts[name]).padStart(11)}  ${((ratio - 1) * 100).toFixed(2).padStart(6)} %${note}`);
}
process.exit(risen > 0 ? 1 : 0);

/**
 * One run: callgrind counts within the functions counted_* only, and begins a new file before each of
 * them, which says which one comes next.
 */
function count() {
  const directory = mkdtempSync(join(tmpdir(), "weft-counts-"));
  try {
    const out = join(directory, "out");
    execFileSync("valgrind", [
      "--tool=callgrind", `--callgrind-out-file=${out}`, "--toggle-collect=counted_*", "--quiet",
      ...Object.keys(measures).map((name) => `--dump-before=counted_${name}`), program,
    ], { timeout: 240_000, env: environment });
    const found = {};
    let name;
    for (let n = 1; n <= Object.keys(measures).length + 1; ++n) {
      const last = n > Object.keys(measures).length;
      const file = readFileSync(last ? out : `${out}.${n}`, "utf8");
      if (name) found[name] = Number(/^(?:summary|totals): (\d+)$/m.exec(file)?.[1]);
      name = /^desc: Trigger: --dump-before=counted_(\w+)$/m.exec(file)?.[1];
    }
    for (const each of Object.keys(measures)) {
      if (!(found[each] > 1000)) throw new Error(`callgrind did not count ${each}: ${found[each]}`);
    }
    return found;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function recorded() {
  const rows = {};
  for (const [, name, value] of readFileSync(baseline, "utf8").matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)) {
    rows[name] = Number(value.replaceAll(",", ""));
  }
  for (const name of Object.keys(measures)) {
    if (!rows[name]) throw new Error(`bench/BASELINE.md has no row for ${name}: ./dev bench counts --record`);
  }
  return rows;
}

function version(command, ...args) {
  return execFileSync(command, args, { encoding: "utf8" }).split("\n")[0].trim();
}

function page(now) {
  const rows = Object.entries(measures).map(
    ([name, what]) => `| \`${name}\` | ${now[name].toLocaleString("en-US")} | ${what} |`);
  return `# Instructions of the core's main measures

Recorded on ${new Date().toISOString().slice(0, 10)} by \`./dev bench counts --record\`, with ${version("g++", "--version")} and
${version("valgrind", "--version")}, release build (\`-O2\`), by callgrind. The libc is told to use no
routines of particular processors (\`GLIBC_TUNABLES\`, see \`bench/counts.mjs\`), which would make up to 4 % of a count:
so what is left to differ between machines is compiler and libc, those of Debian 12.

\`./dev test counts\` fails when a count rises by more than 5 %, and only tells when one falls by as much.
Whoever makes one rise on purpose records it anew and says why in the commit.

| measure | instructions | what is done |
|---|--:|---|
${rows.join("\n")}
`;
}
