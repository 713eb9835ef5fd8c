// Three servers whose cables are cut, to the database and to their clients, while people type on all of
// them. Whoever has a cable goes on; nothing that was acknowledged is lost or doubled; and when the
// network is whole again everybody has the same text within seconds.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Postgres } from "../../support-js/postgres.mjs";
import { binary } from "../../support-js/server.mjs";
import { until } from "../kill/typing.mjs";
import { Cluster, Typing } from "./cluster.mjs";
import { makePlaces } from "./network.mjs";

const isRoot = process.getuid() === 0;
const healedWithinMs = 5_000;
const cutMs = Number(process.env.WEFT_CUT_MS ?? 8_000);
// A server that is cut off in the middle of a commit holds locks for 5 s; on a busy machine a little more.
const longestPauseMs = 7_000;

class Partition {
  static async start(t) {
    const partition = new Partition();
    partition.places = await makePlaces(t, 3);
    const postgres = await Postgres.start(t, { addresses: partition.places.map(({ database }) => database.outer) });
    partition.cluster = await Cluster.start(t, postgres, {
      places: partition.places.map(({ server, database }) =>
        ({ ...server, database: postgres.url("postgres", database.outer) })),
    });
    const [first] = partition.cluster.servers;
    partition.typing = new Typing(t, partition.cluster, [await first.create("one"), await first.create("two")], 9);
    await partition.typing.begin();
    await until("typing", () => partition.typing.writers.every((writer) => writer.acksOnConnection > 0));
    return partition;
  }

  /** The longest time in which a document got no acknowledgement, while `during` lasts. In ms. */
  async longestPause(during) {
    let longest = 0;
    let over = false;
    const ended = during.finally(() => (over = true));
    const last = this.typing.subjects.map(({ record }) => ({ count: record.ackedCount, at: Date.now() }));
    for (; !over; await sleep(20)) {
      for (const [i, { record }] of this.typing.subjects.entries()) {
        longest = Math.max(longest, Date.now() - last[i].at);
        if (record.ackedCount > last[i].count) last[i] = { count: record.ackedCount, at: Date.now() };
      }
    }
    await ended;
    return longest;
  }

  async check(t, pauseMs, mostMs = Infinity) {
    const acknowledged = await this.typing.endAndCheck(healedWithinMs);
    const connections = this.typing.writers.reduce((sum, writer) => sum + writer.connections, 0);
    const resent = this.typing.writers.reduce((sum, writer) => sum + writer.resent, 0);
    t.diagnostic(`${acknowledged} edits acknowledged, ${connections} connections, ${resent} pushes sent again; ` +
      `longest pause ${pauseMs} ms; all equal ${this.typing.restMs} ms after healing`);
    assert.ok(pauseMs < mostMs, `the others went on: ${pauseMs} ms`);
    for (const { stderr } of this.cluster.servers) assert.doesNotMatch(stderr, /divergence/);
  }
}

const cutting = isRoot ? test : () => {};
const cutsOff = {
  "from the database": ({ database }) => [database],
  "from its clients": ({ clients }) => [clients],
  "from everything": ({ database, clients }) => [database, clients],
};

for (const [what, cables] of Object.entries(cutsOff)) {
  cutting(`one server is cut off ${what}`, { timeout: 90_000 }, async (t) => {
    const partition = await Partition.start(t);
    const cut = cables(partition.places[1]);
    for (const cable of cut) cable.cut();
    const pauseMs = await partition.longestPause(sleep(cutMs));
    for (const cable of cut) cable.heal();
    await partition.check(t, pauseMs, longestPauseMs);
  });
}

cutting("cuts travel round the servers", { timeout: 120_000 }, async (t) => {
  const partition = await Partition.start(t);
  const { random } = partition.typing;
  const travel = async () => {
    const end = Date.now() + 30_000;
    for (let i = 0; Date.now() < end; ++i) {
      const cut = random.pick(Object.values(cutsOff))(partition.places[i % 3]);
      for (const cable of cut) cable.cut();
      await sleep(500 + random.below(6_000));
      for (const cable of cut) cable.heal();
      await sleep(random.below(1_000));
    }
  };
  await partition.check(t, await partition.longestPause(travel()));
});

if (!isRoot) {
  test("all of this as root", { timeout: 300_000 }, () => {
    const self = [process.execPath, "--test", fileURLToPath(import.meta.url)];
    const args = ["-n", "env", "-u", "NODE_TEST_CONTEXT", `WEFT_BIN=${binary}`, ...self];
    const { status, stdout, stderr, error } = spawnSync("sudo", args, { encoding: "utf8", timeout: 290_000 });
    assert.equal(status, 0, `networks are cut by root, or with a sudo that asks nothing: ${error ?? stdout + stderr}`);
  });
}
