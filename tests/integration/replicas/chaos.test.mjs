// Three servers on one PostgreSQL, while one of them after the other is killed, the database is
// restarted, and the bus is dead.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Postgres } from "../../support-js/postgres.mjs";
import { Cluster, Typing, counter } from "./cluster.mjs";
import { snsCluster } from "./sns_cluster.mjs";

async function typingOn(t, cluster) {
  const [first] = cluster.servers;
  const typing = new Typing(t, cluster, [await first.create("one"), await first.create("two")], 9);
  await typing.begin();
  return typing;
}

const clusterOn = {
  notify: async (t) => Cluster.start(t, await Postgres.start(t)),
  sns: async (t) => (await snsCluster(t, "sns")).cluster,
  "sns-https": async (t) => (await snsCluster(t, "sns-https")).cluster,
};

for (const [bus, start] of Object.entries(clusterOn)) {
  test(`one server is killed every few seconds, over ${bus}`, { timeout: 240_000 }, async (t) => {
    const cluster = await start(t);
    const typing = await typingOn(t, cluster);
    const resent = () => typing.writers.reduce((sum, writer) => sum + writer.resent, 0);
    // A push is under way for milliseconds: on a quick machine it takes some kills to hit one.
    for (let kill = 0; kill < 9 || (resent() === 0 && kill < 60); ++kill) {
      await sleep(1_500);
      await cluster.stop(kill % 3, "SIGKILL");
      await sleep(1_000);
      await cluster.startAgain(kill % 3);
    }
    const acknowledged = await typing.endAndCheck(5_000);
    assert.ok(resent() > 0, "some pushes were under way when a server died");
    t.diagnostic(`${acknowledged} edits acknowledged, ${resent()} pushes sent again, 0 lost, 0 doubled`);
  });
}

test("a rolling restart loses no keystroke", { timeout: 120_000 }, async (t) => {
  const cluster = await Cluster.start(t, await Postgres.start(t));
  const typing = await typingOn(t, cluster);
  const old = cluster.servers.map(({ pid }) => pid);
  for (const i of [0, 1, 2]) {
    await sleep(1_000);
    assert.deepEqual(await cluster.stop(i, "SIGTERM"), { code: 0, signal: null });
    await cluster.startAgain(i);
  }
  assert.ok(cluster.servers.every(({ pid }) => !old.includes(pid)), "all of them are new");
  const acknowledged = await typing.endAndCheck(5_000);
  const unserved = typing.writers.filter(({ connections }) => connections === 1);
  assert.deepEqual(unserved, [], "nobody was spared");
  t.diagnostic(`${acknowledged} edits acknowledged, all equal after ${typing.restMs} ms`);
});

test("PostgreSQL is restarted", { timeout: 120_000 }, async (t) => {
  const postgres = await Postgres.start(t);
  const cluster = await Cluster.start(t, postgres);
  const typing = await typingOn(t, cluster);
  for (const signal of ["SIGINT", "SIGQUIT"]) {
    await sleep(3_000);
    await postgres.stop(signal);
    await sleep(500);
    await postgres.start();
  }
  t.diagnostic(`${await typing.endAndCheck(5_000)} edits acknowledged, all equal after ${typing.restMs} ms`);
});

test("without any bus everything is only later", { timeout: 120_000 }, async (t) => {
  const cluster = await Cluster.start(t, await Postgres.start(t), { args: ["--bus", "none"] });
  const typing = await typingOn(t, cluster);
  await sleep(10_000);
  const acknowledged = await typing.endAndCheck(5_000);
  for (const server of cluster.servers) {
    assert.ok((await counter(server, "weft_rows_followed_total")) > 0);
  }
  t.diagnostic(`${acknowledged} edits acknowledged`);
});
