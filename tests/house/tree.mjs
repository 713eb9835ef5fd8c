// The repository as the checks see it, and small made-up ones to try the checks on.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Paths of all files of a tree that belong to it: what git tracks or would track. */
export function files_of(root) {
  if (existsSync(join(root, ".git"))) {
    // A clone may belong to somebody else than who runs the tests.
    const safe = ["-c", "safe.directory=*"];
    const listed = execFileSync("git", [...safe, "ls-files", "-z", "-co", "--exclude-standard"], { cwd: root });
    return listed.toString().split("\0").filter((path) => path && existsSync(join(root, path))).sort();
  }
  return walk(root, "");
}

function walk(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !["node_modules", "build", "dist"].includes(entry.name))
    .flatMap((entry) => {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      return entry.isDirectory() ? walk(root, path) : [path];
    })
    .sort();
}

export const read = (root, path) => readFileSync(join(root, path), "utf8");
export const is_text = (path) => !/\.(png|gz|wasm|woff2|ico|bin|db|jpg)$/.test(path) && !path.includes("/corpus/");

/** Calls f with a folder that holds {path: text}, and removes it. */
export function with_tree(files, f) {
  const root = mkdtempSync(join(tmpdir(), "house-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return f(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The rows of the first table below a heading: arrays of trimmed cells, head and rule left out. */
export function table_below(markdown, heading) {
  const lines = markdown.split("\n");
  let at = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "").trim() === heading);
  if (at < 0) return [];
  while (at < lines.length && !lines[at].startsWith("|")) at += 1;
  const rows = [];
  for (; at < lines.length && lines[at].startsWith("|"); at += 1) {
    rows.push(lines[at].split("|").slice(1, -1).map((cell) => cell.trim()));
  }
  return rows.slice(2);
}
