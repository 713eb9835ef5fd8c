// The program as a process: command line, refusals to start with their exit codes, signals.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  closeSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { Server, binary, freshDirectory, runWeft } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { Close } from "../../support-js/protocol.mjs";

/** Ends with the code and one line on stderr that matches. */
async function refusesToStart(args, code, message, options) {
  const result = await runWeft(args, options);
  assert.equal(result.code, code, result.stderr);
  assert.equal(result.stdout, "");
  const lines = result.stderr
    .trimEnd()
    .split("\n")
    .filter((line) => line.startsWith("weft: "));
  assert.equal(lines.length, 1, result.stderr);
  assert.match(lines[0], message);
}

test("version and help", async () => {
  const version = await runWeft(["--version"]);
  assert.match(version.stdout, /^weft 0\.1\.0 \(\w+\)\n$/);
  assert.equal(version.code, 0);
  const help = await runWeft(["--help"]);
  assert.equal(help.code, 0);
  for (const word of ["serve", "replay", "--version", "Exit codes"])
    assert.ok(help.stdout.includes(word));
  const serve = await runWeft(["help", "serve"]);
  assert.equal(serve.code, 0);
  for (const word of ["--data", "--listen", "127.0.0.1:8080", "--threads", "--log-level"]) {
    assert.ok(serve.stdout.includes(word), word);
  }
  assert.equal((await runWeft(["serve", "--help"])).stdout, serve.stdout);
  for (const args of [["sing"], ["help", "sing"], ["sing", "--loud"]]) {
    const unknown = await runWeft(args);
    assert.equal(unknown.code, 2);
    assert.equal(unknown.stderr, "weft: there is no command 'sing'. See weft --help.\n");
  }
  for (const args of [
    [],
    ["serve", "--loud"],
    ["serve", "extra"],
    ["serve", "--threads", "0"],
    ["serve", "--log-level", "chatty"],
  ]) {
    const result = await runWeft(args);
    assert.equal(result.code, 2, args.join(" "));
    assert.equal(result.stdout, "");
    assert.match(result.stderr, /^weft: /);
  }
});

test("ready means one line on stdout", async (t) => {
  const server = await Server.start(t, { args: ["--threads", "3"] });
  assert.equal((await server.fetch("/healthz")).status, 200);
  assert.deepEqual(await server.end(), { code: 0, signal: null });
  assert.equal(server.stdout, `Weft is at ${server.origin}/\n`);
});

test("the data directory defaults to the user's state", async (t) => {
  const state = freshDirectory(t);
  const child = spawn(binary, ["serve", "--listen", "127.0.0.1:0"], {
    env: { ...process.env, XDG_STATE_HOME: state },
    stdio: ["ignore", "pipe", "ignore"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  assert.ok(statSync(join(state, "weft", "weft.db")).size > 0);
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "close"), [0, null]);
});

test("addresses that are not loopback, or not addresses", async (t) => {
  const data = freshDirectory(t);
  for (const listen of ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080", "10.1.2.3:80"]) {
    await refusesToStart(["serve", "--data", data, "--listen", listen], 2, /loopback/);
  }
  for (const listen of [
    "localhost",
    "8080",
    "127.0.0.1:",
    "127.0.0.1:99999",
    "127.0.0.1:-1",
    "::1:80",
    "example.org:80",
    ":80",
  ]) {
    await refusesToStart(["serve", "--data", data, "--listen", listen], 2, /HOST:PORT/);
  }
});

test("an occupied port", async (t) => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  t.after(() => holder.close());
  const { port } = holder.address();
  await refusesToStart(
    ["serve", "--data", freshDirectory(t), "--listen", `127.0.0.1:${port}`],
    3,
    new RegExp(`127\\.0\\.0\\.1:${port} is in use.*--listen`),
  );
});

test("a directory that cannot be written", async (t) => {
  const file = join(freshDirectory(t), "file");
  writeFileSync(file, "I was here first");
  await refusesToStart(["serve", "--data", file, "--listen", "127.0.0.1:0"], 4, /--data|director/);
  await refusesToStart(
    ["serve", "--data", "/proc/weft", "--listen", "127.0.0.1:0"],
    4,
    /--data|director/,
  );
  assert.equal(readFileSync(file, "utf8"), "I was here first");
});

test("a second server on the same data", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x", "still here");
  await refusesToStart(["serve", "--data", server.data, "--listen", "127.0.0.1:0"], 5, /another/i);
  assert.equal(await server.text(id), "still here");
});

test("a damaged database", async (t) => {
  const server = await Server.start(t);
  for (let i = 0; i < 20; ++i) await server.create(`file ${i}`, "x".repeat(5000));
  await server.end();
  const path = join(server.data, "weft.db");
  const size = statSync(path).size;
  const whole = readFileSync(path);

  writeFileSync(
    path,
    "this is not a database, but it is long enough to be read as one".repeat(100),
  );
  await refusesToStart(["serve", "--data", server.data, "--listen", "127.0.0.1:0"], 6, /damaged/i);

  writeFileSync(path, whole);
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(80, 0xab), 0, 80, 16); // the header's own fields
  closeSync(file);
  await refusesToStart(["serve", "--data", server.data, "--listen", "127.0.0.1:0"], 6, /damaged/i);

  writeFileSync(path, whole);
  truncateSync(path, Math.floor(size / 2 / 4096) * 4096);
  await refusesToStart(["serve", "--data", server.data, "--listen", "127.0.0.1:0"], 6, /damaged/i);

  writeFileSync(path, whole);
  const mended = await Server.start(t, { data: server.data });
  assert.equal((await (await mended.fetch("/api/v1/documents")).json()).documents.length, 20);
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  test(`${signal} drains: sessions end with 1012, everything is kept, exit 0`, async (t) => {
    const server = await Server.start(t);
    const id = await server.create("x", "kept");
    const joined = new TestSocket(server, id);
    await joined.join();
    const waiting = await new TestSocket(server, id).opened();
    const idle = await server.fetch("/healthz");
    await idle.text();
    const started = Date.now();
    const ended = server.end(signal);
    assert.equal((await joined.closed).code, Close.restart);
    assert.equal((await waiting.closed).code, Close.restart);
    assert.deepEqual(await ended, { code: 0, signal: null });
    assert.ok(Date.now() - started < 3_000, `${Date.now() - started} ms`);
    const again = await Server.start(t, { data: server.data });
    assert.equal(await again.text(id), "kept");
  });
}

test(
  "a second signal does not wait for a peer that does not hang up",
  { timeout: 20_000 },
  async (t) => {
    const server = await Server.start(t);
    const id = await server.create("x");
    const stuck = new TestSocket(server, id);
    await stuck.join();
    stuck.ws._socket.pause(); // reads nothing, answers nothing
    const started = Date.now();
    const ended = server.end("SIGTERM");
    // The first is at work when nobody is let in any more.
    const isOpen = () =>
      new Promise((resolve) => {
        const probe = connect(server.port, "127.0.0.1", () => resolve(true));
        probe.on("error", () => resolve(false)).on("close", () => probe.destroy());
        t.after(() => probe.destroy());
      });
    while (await isOpen()) await new Promise((resolve) => setTimeout(resolve, 10));
    process.kill(server.pid, "SIGTERM");
    assert.deepEqual(await ended, { code: null, signal: "SIGTERM" });
    assert.ok(Date.now() - started < 4_000, "the first alone takes 5 s");
  },
);

test(
  "a peer that does not hang up holds the shutdown only so long",
  { timeout: 30_000 },
  async (t) => {
    const server = await Server.start(t);
    const id = await server.create("x");
    const stuck = new TestSocket(server, id);
    await stuck.join();
    stuck.ws._socket.pause();
    const started = Date.now();
    assert.deepEqual(await server.end("SIGTERM"), { code: 0, signal: null });
    assert.ok(Date.now() - started < 10_000);
    stuck.ws.terminate();
  },
);
