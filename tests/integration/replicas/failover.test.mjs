// A database at several hosts, as it is when it fails over: of those that the URL names one swallows all that
// is sent to it, one cannot be written to, and one leads to the database until it does not any more.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Postgres } from "../../support-js/postgres.mjs";
import { until } from "../kill/typing.mjs";
import { Cluster, Typing, counter } from "./cluster.mjs";

const relay = fileURLToPath(new URL("relay.mjs", import.meta.url));
// Two hosts that swallow, each given up after 2 s, and delays that double; on a machine that is busy.
const longestStartMs = 8_000;
const longestFailoverMs = 15_000;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A child process that dies with this one, and the port that it says it is at. */
async function listening(t, program) {
  const child = spawn("setpriv", ["--pdeathsig", "KILL", process.execPath, ...program], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  return { child, port: Number(/at \S*?(\d+)\n/.exec(line)[1]) };
}

/** Nothing that is sent to it gets an answer: it sleeps, and the kernel's queue of connections is full. */
async function blackHole(t, port = 0) {
  const { port: at } = await listening(t, ["-e", `
    const server = require("node:net").createServer().listen({ host: "127.0.0.1", port: ${port}, backlog: 1 }, () => {
      console.log("at " + server.address().port);
      process.kill(process.pid, "SIGSTOP");
    });`]);
  // A queue of one holds two, of these or of others.
  const fillers = [1, 2, 3].map(() => connect(at, "127.0.0.1").on("error", () => {}));
  t.after(() => fillers.forEach((filler) => filler.destroy()));
  await sleep(300);
  assert.ok(fillers.some(({ connecting }) => connecting), "the queue is full");
  return at;
}

test("servers go on at the host that leads to the database", { timeout: 120_000 }, async (t) => {
  const [port, standbyPort] = [await freePort(), await freePort()];
  const postgres = await Postgres.start(t, { port, addresses: ["127.0.0.1"] });
  await Postgres.start(t, {
    port: standbyPort, addresses: ["127.0.0.1"], options: ["-c", "default_transaction_read_only=on"],
  });
  const lead = () => listening(t, [relay, "127.0.0.1:0", `127.0.0.1:${port}`]);
  const [before, after] = [await lead(), await lead()];
  const hosts = [await blackHole(t), standbyPort, before.port, after.port].map((at) => `127.0.0.1:${at}`);
  const database = `postgresql://weft@${hosts.join(",")}/postgres`;

  const begin = Date.now();
  const cluster = await Cluster.start(t, postgres, { count: 2, places: [{ database }, { database }] });
  const startMs = (Date.now() - begin) / 2;
  assert.ok(startMs < longestStartMs, `only the first connection waits for a host that is gone: ${startMs} ms`);
  const listen = async () => {
    for (const server of cluster.servers) {
      for (const deadline = Date.now() + longestFailoverMs; (await counter(server, "weft_bus_connected")) !== 1; await sleep(20)) {
        assert.ok(Date.now() < deadline, `it hears: ${server.stderr}`);
      }
    }
  };
  await listen();
  const typing = new Typing(t, cluster, [await cluster.servers[0].create("one"), await cluster.servers[1].create("two")], 4);
  await typing.begin();
  /** Until people have typed on in both documents. */
  const goesOn = async (what) => {
    const enough = typing.subjects.map(({ record }) => record.ackedCount + 100);
    await until(what, () => typing.subjects.every(({ record }, i) => record.ackedCount > enough[i]));
  };
  await goesOn("typing");

  before.child.kill("SIGKILL");
  await once(before.child, "exit");
  await blackHole(t, before.port);
  const lost = Date.now();
  await goesOn("typing after the failover");
  const failoverMs = Date.now() - lost;
  assert.ok(failoverMs < longestFailoverMs, `${failoverMs} ms`);
  await listen();
  const acknowledged = await typing.endAndCheck();
  t.diagnostic(`${acknowledged} edits acknowledged; each server started in ${startMs} ms, typing went on after ${failoverMs} ms`);
});
