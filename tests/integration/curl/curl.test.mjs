// docs/CURL.md as it is written: each block in order in one shell, against a fresh server, and the output that it shows.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { binary, freshDirectory, runWeft, Server } from "../../support-js/server.mjs";

const page = readFileSync(fileURLToPath(new URL("../../../docs/CURL.md", import.meta.url)), "utf8");

/** [{command, output}] of the page; output is undefined where none is shown. */
function blocksOf(text) {
  const blocks = [];
  for (const [, kind, content] of text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)) {
    if (kind === "sh") blocks.push({ command: content });
    else {
      assert.equal(kind, "output");
      blocks.at(-1).output = content;
    }
  }
  return blocks;
}

/** `…` stands for anything within a line. */
function fits(shown, got) {
  const escaped = shown.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join("[^\\n]*")}$`).test(got);
}

test("every example of the page does what the page shows", async (t) => {
  const directory = freshDirectory(t);
  const key = join(directory, "key");
  assert.equal((await runWeft(["token", "--new-key", "es256", "--out", key])).code, 0);
  const server = await Server.start(t, { args: ["--key", key] });
  const blocks = blocksOf(page);
  assert.ok(blocks.length >= 12, `${blocks.length} blocks`);
  const mark = "=== next ===";
  const script = blocks.map(({ command }) => `${command}echo '${mark}'\n`).join("");
  const { status, stdout, stderr } = spawnSync("bash", ["-e", "-o", "pipefail", "-c", script], {
    encoding: "utf8", timeout: 60_000, cwd: directory,
    env: { ...process.env, WEFT: server.origin, KEY: key, PATH: `${dirname(binary)}:${process.env.PATH}` },
  });
  const outputs = stdout.split(`${mark}\n`);
  blocks.forEach(({ command, output }, n) => {
    assert.ok(outputs[n] !== undefined, `not reached: ${command}\n${stderr}`);
    if (output !== undefined) assert.ok(fits(output, outputs[n]), `${command}\nshown:\n${output}\ngot:\n${outputs[n]}\n${stderr}`);
  });
  assert.equal(status, 0, stderr);
  assert.equal(outputs.length, blocks.length + 1);
});

test("output that differs is noticed", () => {
  assert.ok(fits('{"a":"…",…}\n', '{"a":"b","c":1}\n'));
  assert.ok(!fits('{"a":"…"}\n', '{"b":"b"}\n'));
  assert.ok(!fits("x\n", "x\ny\n"));
});
