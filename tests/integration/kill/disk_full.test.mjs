// The disk is full while people type: nothing is acknowledged, everything can be read, and when there
// is space again the service goes on by itself, with every acknowledged edit.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freshDirectory, runWeft, Server } from "../../support-js/server.mjs";
import { Random, seedFor } from "../replay/histories.mjs";
import { assertLogHolds, DatabaseCopy, textOf } from "./database.mjs";
import { Record, uniqueCharacters } from "./record.mjs";
import { SmallDisk } from "./small_disk.mjs";
import { Writer } from "./writer.mjs";

const rounds = 5;
const longestWait = 20_000;

async function until(what, condition) {
  for (const deadline = Date.now() + longestWait; !(await condition()); await sleep(5)) {
    assert.ok(Date.now() < deadline, `${what}: not within ${longestWait} ms`);
  }
}

test(`a full disk, ${rounds} times`, { timeout: 240_000 }, async (t) => {
  const seed = seedFor(t);
  const random = new Random(seed);
  const characters = uniqueCharacters();
  const data = freshDirectory(t);
  const disk = await SmallDisk.make(t, data, 40_000_000);
  const server = await Server.start(t, { data, within: disk.within });
  const reader = await server.create("nobody writes here", "as it was\n");
  const id = await server.create("typed on");
  const record = new Record();
  const writers = Array.from({ length: 3 }, () =>
    new Writer({ host: server.host, id, record, random, characters }));
  const running = writers.map((writer) => writer.run());
  t.after(() => writers.forEach((writer) => writer.stop()));
  const noFailure = () => writers.forEach((w) => { if (w.failure !== null) throw w.failure; });
  const type = async (ms) => {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(random.below(6))) {
      random.pick(writers).type();
    }
  };
  await until("joining", () => writers.every((writer) => writer.joined));

  for (let round = 1; round <= rounds; ++round) {
    const when = `seed ${seed}, round ${round}`;
    const before = record.ackedCount;
    await type(300);
    await until(`${when}: acknowledgements`, () => record.ackedCount > before);

    const pid = server.pid;
    assert.ok(disk.fill() > 0, "there was space to take");
    // The WAL may have room from earlier rounds: it is used up first.
    let acked = -1;
    await until(`${when}: acknowledgements stop`, async () => {
      acked = record.ackedCount;
      await type(400);
      return record.ackedCount === acked;
    });
    // While it is full: reads of both documents and of the list, and creating is refused in order.
    const promise = record.promise();
    assert.equal(await server.text(reader), "as it was\n");
    let text = null;
    await until(`${when}: reading`, async () => {
      const response = await server.fetch(`/api/v1/documents/${id}/text`, { headers: { Accept: "text/plain" } });
      const body = await response.text();
      if (response.status === 200) text = body;
      else assert.equal(response.status, 503, body);  // just reloading
      return text !== null;
    });
    assert.deepEqual(record.breaches(text, promise), [], when);
    const list = await (await server.fetch("/api/v1/documents")).json();
    assert.equal(list.documents.length, 2, when);
    const refused = await server.post({ title: "no room", content: "x".repeat(100_000) });
    assert.equal(refused.status, 503, await refused.text());
    await type(300);
    assert.equal(record.ackedCount, acked, `${when}: nothing is acknowledged on a full disk`);
    noFailure();
    assert.ok(writers.some((writer) => writer.refusals > 0), "writers were told why");

    disk.free();
    await until(`${when}: it goes on by itself`, () =>
      record.ackedCount > acked && writers.every((w) => w.joined && w.pending === 0));
    assert.equal(server.pid, pid);
    noFailure();
    const kept = record.promise();
    assert.deepEqual(record.breaches(await server.text(id), kept), [], when);
  }

  writers.forEach((writer) => writer.stop());
  await Promise.all(running);
  await server.end();
  const copy = new DatabaseCopy(disk.path());
  t.after(() => copy.remove());
  copy.assertSound();
  const rows = copy.rows(id);
  assertLogHolds(rows, record);
  const { present } = record.promise();
  assert.deepEqual([...textOf(rows)].sort(), present.sort(), "all that was typed and not erased, once");
  const fsck = await runWeft(["fsck", "--data", data], { within: disk.within });
  assert.equal(fsck.code, 0, fsck.stdout + fsck.stderr);
  t.diagnostic(`${record.ackedCount} edits acknowledged, 0 lost`);
});
