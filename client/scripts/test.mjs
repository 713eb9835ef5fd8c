// Runs every compiled test with node's own runner; the same on node 18 and later.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../dist/tested/test/", import.meta.url));
const only = process.argv[2] ?? "";
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".test.js") && name.includes(only))
  .map((name) => folder + name);
const run = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
process.exit(run.status ?? 1);
