// ./dev check [--all]: format, clang-tidy, types, shell scripts. clang-tidy looks at changed sources and
// at those that include a changed header; with --all at everything.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";

const all = process.argv.includes("--all");
const lines = (program, ...args) => {
  const done = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  return done.status === 0 ? done.stdout.split("\n").filter(Boolean) : [];
};
const known = JSON.parse(readFileSync("build/release/compile_commands.json", "utf8"))
  .map(({ file }) => file.replace(`${process.cwd()}/`, ""))
  .filter((file) => !file.startsWith("build/"));

const failures = [];
const report = (name, ok, output) => {
  console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
  if (!ok) {
    failures.push(name);
    console.log(output.trimEnd());
  }
};
const run = (name, program, ...args) => {
  const done = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  report(name, done.status === 0, `${done.stdout ?? ""}${done.stderr ?? ""}${done.error?.message ?? ""}`);
};

run("format", "bash", "-c", ". tools/build.sh; cpp_sources | xargs -0 clang-format-14 --dry-run -Werror");
run("shell", "shellcheck", "-x", "dev", "tools/install.sh", "tools/build.sh", ".ci/run");
for (const folder of ["client", "web"]) {
  run(`packages of ${folder}`, "bash", "tools/build.sh", "npm_install", folder);
  run(`types of ${folder}`, "npm", "--prefix", folder, "run", "--silent", "check");
}
await tidy(all ? known : touched());
console.log(failures.length > 0 ? `${failures.length} failed` : "all good");
process.exit(failures.length > 0 ? 1 : 0);

/** Sources that changed since the branch left main (or since the last commit), or include what did. */
function touched() {
  const base = lines("git", "merge-base", "HEAD", "origin/main")[0] ?? "HEAD";
  const changed = new Set([
    ...lines("git", "diff", "--name-only", base),
    ...lines("git", "ls-files", "-o", "--exclude-standard"),
  ]);
  return known.filter((file) => changed.has(file) || includes_one_of(file, changed));
}

function includes_one_of(file, changed) {
  if (!existsSync(file)) return false;
  const included = readFileSync(file, "utf8").matchAll(/^#include "(.*)"/gm);
  return [...included].some(([, name]) => changed.has(`src/${name}`) || changed.has(name));
}

async function tidy(files) {
  const waiting = [...files];
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      const { code, output } = await tidy_one(file);
      report(`clang-tidy ${file}`, code === 0, output);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism?.() ?? cpus().length }, worker));
}

function tidy_one(file) {
  return new Promise((resolve) => {
    const child = spawn("clang-tidy-14", ["-p", "build/release", "--quiet", file]);
    let output = "";
    child.stdout.on("data", (text) => (output += text));
    child.on("error", (error) => resolve({ code: 1, output: error.message }));
    child.on("close", (code) => resolve({ code, output }));
  });
}
