// ./dev bench server [--json] [HISTORY]: what a user waits for. A real server on a disk, real sockets:
// joining a long document, acknowledgement after a burst and a kill -9, propagation, memory.
// Times are medians; the machine's own part is in each of them, so compare runs of one machine.
import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Server, binary } from "../tests/support-js/server.mjs";
import { TestSocket } from "../tests/support-js/socket.mjs";
import { encodeHello, encodePush } from "../tests/support-js/protocol.mjs";
import { typingHistory } from "./typing_history.mjs";

const json = process.argv.includes("--json");
const [given] = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const directory = mkdtempSync(join(tmpdir(), "weft-bench-"));
const cleanups = [];
const t = { after: (f) => cleanups.push(f) };  // what Server wants of a test

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const quantile = (values, q) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];
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

/** Typists on one document, each paced; how long until another one has the character. */
async function propagation(typists, perSecond, seconds) {
  const server = await Server.start(t, { data: mkdtempSync(join(directory, "pace-")) });
  const id = await server.create("pace");
  const sent = new Map();
  const waits = [];
  const sockets = [];
  for (let i = 0; i < typists; ++i) {
    const socket = new TestSocket(server, id);
    const { ssn, sid } = await socket.join();
    sockets.push({ socket, ssn, sid, seq: 0, applied: 0, sum: 0 });
  }
  const [first] = sockets;
  first.socket.ws.on("message", (data) => {
    const at = sent.get(data.at(-1));
    if (at !== undefined && data[0] === 0x83) waits.push(milliseconds() - at);
  });
  const cpuBefore = cpu(server.pid);
  const rounds = perSecond * seconds;
  const author = sockets[1];
  for (let round = 0; round < rounds; ++round) {
    const mark = 33 + (round % 90);
    sent.set(mark, milliseconds());
    const seq = ++author.seq;
    const ref = seq === 1 ? { sid: 0, seq: 0 } : { sid: author.sid, seq: seq - 1 };
    const op = {
      kind: "insert", len: 1, ssn: author.ssn, sum: seq, sid: author.sid, seq, ref,
      text: String.fromCharCode(mark),
    };
    author.socket.ws.send(encodePush(0, [op]));
    await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
  }
  report(`one typist, ${typists - 1} readers, ${perSecond}/s`, {
    p50_ms: quantile(waits, 0.5), p99_ms: quantile(waits, 0.99), heard: waits.length,
    cpu_us_per_operation: ((cpu(server.pid) - cpuBefore) * 1e6) / rounds,
  });
  for (const { socket } of sockets) socket.ws.terminate();
  await server.end();
}

function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;  // seconds; USER_HZ is 100
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

try {
  const commit = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).stdout.trim();
  const version = execFileSync(binary, ["--version"], { encoding: "utf8" }).split("\n")[0];
  if (!json) console.log(`${version} ${commit}, node ${process.version}`);
  await joining();
  await burst();
  await propagation(10, 50, 8);
  await memory();
  if (json) for (const result of results) console.log(JSON.stringify(result));
} finally {
  for (const clean of cleanups) await clean();
  rmSync(directory, { recursive: true, force: true });
}
