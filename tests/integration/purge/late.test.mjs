// Purging on a real server, with the client package: tombstones leave the log's state and every client,
// and what somebody typed offline for longer than the horizon ends in the text, once.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import WebSocket from "ws";
import { Postgres } from "../../support-js/postgres.mjs";
import { freshDirectory, runWeft, Server } from "../../support-js/server.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
let compiled;
let Connection;
let core;

before(async () => {
  compiled = mkdtempSync(join(root, "build/purge-client-"));
  execFileSync(process.execPath, [
    join(root, "client/node_modules/typescript/bin/tsc"), "-p", join(root, "client/tsconfig.json"),
    "--outDir", compiled, "--declaration", "false",
  ], { stdio: ["ignore", "inherit", "inherit"] });
  writeFileSync(join(compiled, "package.json"), '{ "type": "module" }');
  const load = (name) => import(pathToFileURL(join(compiled, name)));
  ({ Connection } = await load("connection.js"));
  const wasm = process.env.WEFT_WASM ?? join(root, "build/wasm/weft.wasm");
  assert.ok(existsSync(wasm), `${wasm} is missing: build the wasm preset`);
  core = await (await load("core.js")).Core.load(readFileSync(wasm));
});

after(() => rmSync(compiled, { recursive: true, force: true }));

/** Somebody at a document, whose line can be cut. */
class Person {
  troubles = [];
  #sockets = new Set();
  #offline = false;

  constructor(t, server, id) {
    this.connection = new Connection({
      core,
      url: `ws://${server.host}/api/v1/documents/${id}/ws`,
      ports: {
        timers: {
          now: () => performance.now(),
          after: (delayMs, f) => {
            const timer = setTimeout(f, delayMs);
            return () => clearTimeout(timer);
          },
          soon: (f) => queueMicrotask(f),
        },
        openSocket: (url, events) => this.#open(url, events),
        random: () => Math.random(),
        newClientId: () => randomUUID(),
      },
    });
    this.connection.on("rescue", ({ code }) => this.troubles.push(`rescue ${code}`));
    this.connection.on("diverged", (why) => this.troubles.push(`diverged ${why}`));
    this.connection.start();
    t.after(() => this.connection.close());
  }
  #open(url, events) {
    if (this.#offline) {
      setTimeout(() => events.closed(1006, "offline"), 1);
      return { send() {}, close() {}, backlog: 0 };
    }
    const socket = new WebSocket(url, "weft.v1");
    this.#sockets.add(socket);
    socket.on("open", () => events.opened());
    socket.on("message", (bytes) => events.received(new Uint8Array(bytes)));
    socket.on("close", (code, reason) => {
      this.#sockets.delete(socket);
      events.closed(code, reason.toString());
    });
    socket.on("error", () => {});
    return {
      send: (bytes) => socket.readyState === WebSocket.OPEN && socket.send(bytes),
      close: (code, reason) => socket.close(code, reason),
      get backlog() {
        return socket.bufferedAmount;
      },
    };
  }
  offline() {
    this.#offline = true;
    for (const socket of this.#sockets) socket.terminate();
  }
  online() {
    this.#offline = false;
    this.connection.retryNow();
  }
  get document() {
    return this.connection.document;
  }
  get settled() {
    return this.connection.state.kind === "live" && this.connection.unsaved === 0;
  }
}

async function until(what, condition) {
  for (const deadline = Date.now() + 30_000; !condition(); await sleep(10)) {
    assert.ok(Date.now() < deadline, `${what}: not within 30 s`);
  }
}

/** `store` is what Server.start takes, `options` name it to commands, `sql` asks it. */
async function tombstonesLeave(t, store, options, sql) {
  const server = await Server.start(t, { ...store, args: ["--purge-after", "2s"] });
  const words = Array.from({ length: 600 }, (_, i) => `word${i}`).join(" ");
  const id = await server.create("purged", words);
  const a = new Person(t, server, id);
  const b = new Person(t, server, id);
  await until("joining", () => a.settled && b.settled);

  b.offline();
  await sleep(50);
  const place = words.indexOf("word300") + "word300".length;
  b.connection.insert(place, "<typed offline>");
  b.connection.insert(b.document.length, "<the end>");
  b.connection.erase(0, 5);  // "word0"

  // Everything around the place goes away.
  const from = words.indexOf("word100");
  const to = words.indexOf("word500");
  assert.ok(to - from > 1000, "enough to be worth a purge");
  a.connection.erase(from, to - from);
  await until("the purge", () => a.document.elements === a.document.length);
  assert.equal(a.document.text(), words.slice(0, from) + words.slice(to));

  b.online();
  const expected = `${words.slice(5, from)}<typed offline>${words.slice(to)}<the end>`;
  await until("the late edits", () => b.settled && a.document.text() === expected && b.document.text() === expected);
  assert.equal(await server.text(id), expected);
  assert.deepEqual([...a.troubles, ...b.troubles], []);
  assert.equal(a.document.stateHash(), b.document.stateHash());
  b.connection.insert(0, "on ");
  await until("life goes on", () => a.document.text() === `on ${expected}`);

  await server.end();
  const fsck = await runWeft(["fsck", ...options]);
  assert.equal(fsck.code, 0, fsck.stdout + fsck.stderr);
  assert.ok(Number(sql("SELECT sum(len) FROM operations WHERE kind = 4")) > 1000);
  const again = await Server.start(t, { ...store, args: ["--purge-after", "2s"] });
  assert.equal(await again.text(id), `on ${expected}`);
}

test("tombstones leave, and late edits come back to where they were meant", async (t) => {
  const data = freshDirectory(t);
  await tombstonesLeave(t, { data }, ["--data", data], (text) =>
    execFileSync("sqlite3", [join(data, "weft.db"), text], { encoding: "utf8" }).trim());
});

test("the same on PostgreSQL", async (t) => {
  const postgres = await Postgres.start(t);
  const database = postgres.url();
  await tombstonesLeave(t, { database }, ["--database-url", database], (text) =>
    execFileSync("psql", [database, "-Atc", text], { encoding: "utf8" }).trim());
});

test("the horizon is checked", async () => {
  for (const horizon of ["0s", "30", "soon", "-1d", "1.5h"]) {
    const { code, stderr } = await runWeft(["serve", "--purge-after", horizon]);
    assert.equal(code, 2, horizon);
    assert.match(stderr, /--purge-after/);
  }
});
