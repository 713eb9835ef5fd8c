// PostgreSQL goes away (killed, or just silent) while two people type in a document and two read it.
// The readers' connections survive, the durable text is readable all the time, and when the database
// is back the document goes on by itself: everybody converges, nothing that was acknowledged is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Postgres } from "../../support-js/postgres.mjs";
import { Server } from "../../support-js/server.mjs";
import { Random, seedFor } from "../replay/histories.mjs";
import { assertLogHolds, PostgresView, textOf } from "./database.mjs";
import { Record, uniqueCharacters } from "./record.mjs";
import { until } from "./typing.mjs";
import { Writer } from "./writer.mjs";

const outages = Number(process.env.WEFT_PG_OUTAGES ?? 6);
// A read that finds a commit under way waits for it so long, and then gets the text before it.
const longestRead = 4_000;

test(`${outages} outages of PostgreSQL under a document that is typed into`, { timeout: 300_000 }, async (t) => {
  const random = new Random(seedFor(t));
  const characters = uniqueCharacters();
  const postgres = await Postgres.start(t);
  const server = await Server.start(t, { database: postgres.url() });
  const view = new PostgresView(postgres);
  const id = await server.create("typed into");
  const record = new Record();
  const people = Array.from({ length: 4 }, () => new Writer({ host: server.host, id, record, random, characters }));
  const [typists, readers] = [people.slice(0, 2), people.slice(2)];
  const running = people.map((person) => person.run());
  t.after(() => people.forEach((person) => person.stop()));
  await until("joining", () => people.every((person) => person.joined));

  let over = false;
  t.after(() => (over = true));
  const typing = (async () => {
    for (; !over; await sleep(random.below(8))) random.pick(typists).type();
  })();
  // Each text has what was acknowledged when it was asked for, and nothing that is not in the log.
  let reads = 0;
  let slowest = 0;
  const reading = (async () => {
    for (; !over; await sleep(20)) {
      const promised = record.promise();
      const asked = Date.now();
      const text = await server.text(id);
      slowest = Math.max(slowest, Date.now() - asked);
      ++reads;
      assert.deepEqual(record.breaches(text, promised), []);
    }
  })();
  reading.catch(() => (over = true));

  for (let outage = 1; outage <= outages; ++outage) {
    const before = record.ackedCount;
    await until(`outage ${outage}: acknowledgements`, () =>
      record.ackedCount > before + 50 && typists.every((typist) => typist.joined));
    const readsBefore = reads;
    if (outage % 3 === 0) {
      postgres.pause();
      await sleep(longestRead);
      assert.ok(reads > readsBefore, "texts are read while the database is silent");
      postgres.resume();
    } else {
      await postgres.stop(outage % 2 === 0 ? "SIGKILL" : "SIGQUIT");
      await sleep(600 + random.below(1000));
      assert.ok(reads > readsBefore + 5, `texts are read while the database is away: ${reads - readsBefore}`);
      await postgres.start();
    }
    assert.equal(over, false, "every read was right");
  }
  const last = record.ackedCount;
  await until("typing goes on", () => record.ackedCount > last + 50);
  over = true;
  await Promise.all([typing, reading]);
  await until("the last acknowledgements", () => people.every((p) => p.joined && p.pending === 0));
  await until("the same index", () => new Set(people.map((person) => person.applied)).size === 1);
  for (const person of people) if (person.failure !== null) throw person.failure;
  for (const reader of readers) assert.equal(reader.connections, 1, "a reader noticed nothing");
  assert.ok(slowest < longestRead, `the slowest text took ${slowest} ms`);
  view.assertSound();
  const rows = view.rows(id);
  assertLogHolds(rows, record);
  const text = await server.text(id);
  assert.equal(text, textOf(rows), "the text is what the log means");
  assert.deepEqual([...text].sort(), record.promise().present.sort(), "all that was typed and not erased, once");
  people.forEach((person) => person.stop());
  await Promise.all(running);
  t.diagnostic(`${record.ackedCount} edits acknowledged, ${reads} texts read, the slowest in ${slowest} ms`);
});
