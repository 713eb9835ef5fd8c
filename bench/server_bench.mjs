// ./dev bench server [--json] [HISTORY]: what a user waits for. A real server on a disk, real sockets:
// joining a long document, acknowledgement after a burst and a kill -9, propagation, memory.
// Times are medians; the machine's own part is in each of them, so compare runs of one machine.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { Server, binary } from "../tests/support-js/server.mjs";
import { TestSocket } from "../tests/support-js/socket.mjs";
import { encodeHello, encodePush } from "../tests/support-js/protocol.mjs";
import { typingHistory } from "./typing_history.mjs";

const built = dirname(binary);
const json = process.argv.includes("--json");
const [given] = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const directory = mkdtempSync(join(tmpdir(), "weft-bench-"));
const cleanups = [];
const t = { after: (f) => cleanups.push(f) };  // what Server wants of a test

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const milliseconds = () => performance.now();
const results = [];
const report = (scenario, figures) => {
  results.push({ scenario, ...figures });
  if (json) return;
  const words = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === "number" ? +value.toFixed(3) : value}`,
  );
  console.log(`${scenario.padEnd(34)} ${words.join("   ")}`);
};

function generatedHistory() {
  const file = join(directory, "generated.json.gz");
  writeFileSync(file, gzipSync(JSON.stringify(typingHistory(260_000)), { level: 1 }));
  return file;
}

const rss = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

/** Opens a socket, says hello, and waits until the whole document is there. */
async function joinOnce(server, id) {
  const socket = new TestSocket(server, id);
  await socket.opened();
  let bytes = 0;
  socket.ws.on("message", (data) => (bytes += data.length));
  const start = milliseconds();
  socket.ws.send(encodeHello({ client: randomUUID() }));
  const welcome = await socket.next("welcome");
  if (welcome.lastIndex > 0) await socket.next("snapshot", 20_000);
  const waited = milliseconds() - start;
  socket.ws.close(1000);
  await socket.closed;
  return { waited, bytes };
}

async function joining() {
  const history = given ?? generatedHistory();
  const data = mkdtempSync(join(directory, "join-"));
  let server = await Server.start(t, { data });
  const replayed = spawnSync(
    binary, ["replay", "--server", server.origin, "--json", "--keep", history],
    { encoding: "utf8", maxBuffer: 1 << 26 },
  );
  if (replayed.status !== 0) throw new Error(`replay: ${replayed.stdout}${replayed.stderr}`);
  const { documents } = await (await server.fetch("/api/v1/documents")).json();
  const id = documents[0].document_id;
  const cold = [];
  for (let i = 0; i < 7; ++i) {
    await server.end();
    server = await Server.start(t, { data });
    cold.push((await joinOnce(server, id)).waited);
  }
  const warm = [];
  let bytes = 0;
  for (let i = 0; i < 21; ++i) {
    const one = await joinOnce(server, id);
    warm.push(one.waited);
    bytes = one.bytes;
  }
  report("join: a long history", { cold_ms: median(cold), warm_ms: median(warm), bytes });
  await server.end();
}

/** 2,000 edits in pushes of one, then kill -9: what was acknowledged is there. */
async function burst() {
  const seconds = [];
  let lost = 0;
  for (let round = 0; round < 5; ++round) {
    const data = mkdtempSync(join(directory, "burst-"));
    let server = await Server.start(t, { data });
    const id = await server.create("burst");
    const socket = new TestSocket(server, id);
    const { ssn, sid } = await socket.join();
    const edits = 2000;
    const start = milliseconds();
    for (let seq = 1; seq <= edits; ++seq) {
      const ref = seq === 1 ? { sid: 0, seq: 0 } : { sid, seq: seq - 1 };
      const op = { kind: "insert", len: 1, ssn, sum: seq, sid, seq, ref, text: "x" };
      socket.ws.send(encodePush(0, [op]));
      if (seq % 500 === 0) await new Promise(setImmediate);
    }
    let acked = 0;
    while (acked < edits) acked = (await socket.next("ack")).seq;
    seconds.push((milliseconds() - start) / 1000);
    await server.kill();
    server = await Server.start(t, { data });
    lost += edits - (await server.text(id)).length;
    await server.end();
  }
  report("2,000 acknowledged edits, kill -9", { lost, seconds: median(seconds) });
}

// Typists over real sockets (bench/load), the server alone on one core and the load on another; the same
// against a bare broadcast, which is the floor: no CRDT, no checks, no storage.
const scenarios = {
  "S1 10 typists at 5/s": { documents: 1, words: ["--typists", 10, "--rate", 5] },
  "S2 50 typists at 2/s": { documents: 1, words: ["--typists", 50, "--rate", 2] },
  "S3 200 documents, 5 at 1/s each": { documents: 200, words: ["--typists", 1000, "--rate", 1] },
  "S4 100 writers, 32 in flight": { documents: 10, words: ["--typists", 100, "--in-flight", 32] },
};
const [serverCore, loadCore] = availableParallelism() > 1 ? [0, 1] : [0, 0];
const pinned = (core) => ["taskset", "-c", String(core)];

function play(port, pid, words, documents) {
  const [program, ...first] = pinned(loadCore);
  const run = spawnSync(
    program, [...first, join(built, "load_bench"), "--port", port, "--pid", pid, "--seconds", 10, ...words, ...documents].map(String),
    { encoding: "utf8", maxBuffer: 1 << 26 },
  );
  if (run.status !== 0) throw new Error(`load_bench: ${run.stdout}${run.stderr}`);
  return JSON.parse(run.stdout);
}

/** The run whose propagation is the middle one. */
const middle = (runs) => [...runs].sort((a, b) => a.p50_ms - b.p50_ms)[runs.length >> 1];

async function typing() {
  for (const [name, { documents, words }] of Object.entries(scenarios)) {
    const own = [];
    const floor = [];
    for (let run = 0; run < 3; ++run) {
      const server = await Server.start(t, {
        data: mkdtempSync(join(directory, "load-")), args: ["--threads", "1"], within: pinned(serverCore),
      });
      const ids = [];
      for (let i = 0; i < documents; ++i) ids.push(await server.create(`document ${i}`));
      own.push(play(server.port, server.pid, words, ids));
      await server.end();
      floor.push(await playFloor(words, documents));
    }
    for (const [whose, figures] of [["", middle(own)], [", floor", middle(floor)]]) {
      report(name + whose, {
        p50_ms: figures.p50_ms, p99_ms: figures.p99_ms, cpu_us_per_operation: figures.cpu_us_per_operation,
        delivered_per_cpu_s: figures.delivered_per_cpu_s, rss_mb: figures.rss_mb, kb_per_connection: figures.kb_per_connection,
      });
    }
  }
}

async function playFloor(words, documents) {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const [program, ...first] = pinned(serverCore);
  const child = spawn(program, [...first, join(built, "bare_broadcast"), String(port)], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    return play(port, child.pid, words, Array.from({ length: documents }, (_, i) => `document${i}`));
  } finally {
    child.stdin.end();
  }
}

async function memory() {
  const server = await Server.start(t, { data: mkdtempSync(join(directory, "memory-")) });
  const atStart = rss(server.pid);
  const id = await server.create("memory");
  const before = rss(server.pid);
  const sockets = [];
  for (let i = 0; i < 400; ++i) {
    const socket = new TestSocket(server, id);
    sockets.push(socket);
    await socket.join();
  }
  const after = rss(server.pid);
  report("memory", {
    start_mb: atStart, kb_per_connection: ((after - before) * 1024) / sockets.length,
  });
  for (const socket of sockets) socket.ws.terminate();
  await server.end();
}

/** 1,000 documents of 20,000 characters are opened, read and left: what stays when they are unloaded. */
async function memoryAfterwards() {
  const server = await Server.start(t, { data: mkdtempSync(join(directory, "left-")) });
  const open = async () =>
    Number(/^weft_documents_open (\d+)$/m.exec(await (await server.fetch("/metrics")).text())[1]);
  await open();
  const atStart = rss(server.pid);
  const text = "all work and no play\n".repeat(1000).slice(0, 20_000);
  let most = 0;
  for (let i = 0; i < 1000; ++i) {
    await joinOnce(server, await server.create(`left ${i}`, text));
    if (i % 50 === 0) most = Math.max(most, rss(server.pid));
  }
  // Unloaded after half a minute; what they leave is given back within another one.
  let after = most;
  for (const deadline = Date.now() + 120_000; Date.now() < deadline && after > 1.2 * atStart; ) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    after = rss(server.pid);
  }
  report("memory: 1,000 documents, left", {
    start_mb: atStart, most_mb: most, after_mb: after, more_percent: (after / atStart - 1) * 100, open: await open(),
  });
  await server.end();
}

try {
  const commit = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).stdout.trim();
  const version = execFileSync(binary, ["--version"], { encoding: "utf8" }).split("\n")[0];
  if (!json) console.log(`${version} ${commit}, node ${process.version}`);
  await joining();
  await burst();
  await typing();
  await memory();
  await memoryAfterwards();
  if (json) for (const result of results) console.log(JSON.stringify(result));
} finally {
  for (const clean of cleanups) await clean();
  rmSync(directory, { recursive: true, force: true });
}
