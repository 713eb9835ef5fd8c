// `./dev replicas`: what the README offers for trying out, from its start to its end.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freshDirectory } from "../../support-js/server.mjs";

const script = fileURLToPath(new URL("../../../tools/replicas.sh", import.meta.url));

const isFree = (port) => new Promise((resolve) => {
  const server = createServer().once("error", () => resolve(false));
  server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
});

async function twoFreePorts() {
  for (let port = 20_000 + (process.pid % 10_000); ; port += 2) {
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

test("one command starts two servers that serve the same documents", { timeout: 120_000 }, async (t) => {
  const state = freshDirectory(t);
  chmodSync(state, 0o755);  // as root, PostgreSQL runs as somebody else
  const port = await twoFreePorts();
  const child = spawn("bash", [script, "2", String(port)], {
    env: { ...process.env, XDG_STATE_HOME: state }, stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"]) child[stream].on("data", (text) => (said[stream] += text));
  t.after(() => child.kill("SIGTERM"));
  const origins = [0, 1].map((i) => `http://127.0.0.1:${port + i}`);
  for (const deadline = Date.now() + 60_000; !origins.every((origin) => said.stdout.includes(`Weft is at ${origin}/\n`)); await sleep(20)) {
    assert.ok(child.exitCode === null && Date.now() < deadline, said.stderr);
  }

  const json = { "Content-Type": "application/json" };
  const made = await fetch(`${origins[0]}/api/v1/documents`, { method: "POST", headers: json, body: `{"title":"x","content":"one"}` });
  const { document_id: id } = await made.json();
  const text = async (origin) =>
    (await fetch(`${origin}/api/v1/documents/${id}/text`, { headers: { Accept: "text/plain" } })).text();
  assert.equal(await text(origins[1]), "one");
  const edit = await fetch(`${origins[1]}/api/v1/documents/${id}/text`, {
    method: "PATCH", headers: json, body: JSON.stringify({ edits: [{ at: 3, insert: ", two" }] }),
  });
  assert.equal(edit.status, 200, await edit.text());
  for (const deadline = Date.now() + 5_000; (await text(origins[0])) !== "one, two"; await sleep(20)) {
    assert.ok(Date.now() < deadline, await text(origins[0]));
  }
  const { replicas } = await (await fetch(`${origins[0]}/api/v1/replicas`)).json();
  assert.deepEqual(replicas.map(({ replica_id, alive }) => [replica_id, alive]), [["replica-0", true], ["replica-1", true]]);

  const ended = once(child, "close");
  child.kill("SIGINT");
  assert.deepEqual(await ended, [130, null]);
  for (const i of [0, 1]) {
    const socket = connect(port + i, "127.0.0.1");
    const [error] = await once(socket, "error");
    assert.equal(error.code, "ECONNREFUSED", "nothing is left");
  }
});
