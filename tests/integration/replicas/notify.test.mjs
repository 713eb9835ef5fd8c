// Three servers on one PostgreSQL that wake each other with NOTIFY.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Postgres } from "../../support-js/postgres.mjs";
import { Cluster, Typing, counter, keystroke } from "./cluster.mjs";

const seconds = Number(process.env.WEFT_REPLICA_SECONDS ?? 60);

test(`thirty typists on three servers for ${seconds} s`, { timeout: 240_000 }, async (t) => {
  const cluster = await Cluster.start(t, await Postgres.start(t));
  const [first] = cluster.servers;
  const ids = [await first.create("one"), await first.create("two"), await first.create("three")];
  const typing = new Typing(t, cluster, ids, 10);
  await typing.begin();
  await Promise.all([sleep(seconds * 1000), keystroke(t, cluster.servers, 100, "while they type, ")]);
  const acknowledged = await typing.endAndCheck();
  let [followed, moved] = [0, 0];
  for (const server of cluster.servers) {
    followed += await counter(server, "weft_rows_followed_total");
    moved += await counter(server, "weft_batches_moved_total");
    assert.equal(await counter(server, "weft_divergences_total"), 0);
  }
  assert.ok(followed > acknowledged / 20, "they have heard of each other");
  for (const writer of typing.writers) assert.equal(writer.refusals, 0, "nobody was sent away");
  t.diagnostic(`${acknowledged} edits acknowledged, ${followed} rows followed, ${moved} lost races`);
});

test("a keystroke on its way to another server, beside one on the same", { timeout: 60_000 }, async (t) => {
  const cluster = await Cluster.start(t, await Postgres.start(t), { count: 2 });
  const { other } = await keystroke(t, cluster.servers, 200);
  assert.ok(other[0] < 500, "the bus was quicker than asking the database");
});

test("servers find each other, and one that stops is gone", { timeout: 60_000 }, async (t) => {
  const cluster = await Cluster.start(t, await Postgres.start(t), { count: 3 });
  const known = async () => (await (await cluster.servers[0].fetch("/api/v1/replicas")).json()).replicas;
  const until = async (what, holds) => {
    for (const deadline = Date.now() + 20_000; !holds(await known()); await sleep(50)) {
      assert.ok(Date.now() < deadline, `${what}: ${JSON.stringify(await known())}`);
    }
  };
  await until("three", (all) => all.filter(({ alive }) => alive).length === 3);
  const all = await known();
  assert.deepEqual(all.map(({ replica_id }) => replica_id), ["replica-0", "replica-1", "replica-2"]);
  assert.deepEqual(all.map(({ self }) => self), [true, false, false]);
  assert.deepEqual(all.map(({ bus }) => bus), ["notify", "notify", "notify"]);
  await cluster.stop(2, "SIGTERM");
  await until("two are left", (left) => left.length === 2);
});
