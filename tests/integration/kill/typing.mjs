// Writers who type while the server is killed again and again. What it acknowledged must be there
// afterwards, once; what it did not acknowledge is sent again by the writers themselves.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Server } from "../../support-js/server.mjs";
import { Random, seedFor } from "../replay/histories.mjs";
import { assertLogHolds, textOf } from "./database.mjs";
import { Record, uniqueCharacters } from "./record.mjs";
import { Writer } from "./writer.mjs";

export const documents = 2;
export const writersOfEach = 3;
const longestWait = 20_000;

export async function until(what, condition) {
  for (const deadline = Date.now() + longestWait; !condition(); await sleep(2)) {
    assert.ok(Date.now() < deadline, `${what}: not within ${longestWait} ms`);
  }
}

/** One document with its writers and the outside record of what they did. */
export class Subject {
  constructor(id, host, random, characters, how = {}) {
    this.id = id;
    this.record = new Record();
    this.writers = Array.from({ length: writersOfEach }, () =>
      new Writer({ host, id, record: this.record, random, characters, ...how }));
  }
  assertNoFailure() {
    for (const writer of this.writers) if (writer.failure !== null) throw writer.failure;
  }
}

export async function typeAlong(subjects, random, isOver) {
  while (!isOver()) {
    for (const { writers } of subjects) random.pick(writers).type();
    await sleep(random.below(6));
  }
}

export async function checkText(server, { id, record }, when) {
  const promise = record.promise();
  const text = await server.text(id);
  assert.deepEqual(record.breaches(text, promise), [], when);
  return promise;
}

/**
 * The whole test. `store` is what Server.start takes: where the documents are; `view()` looks at them
 * from outside. Each `life` has random numbers of its own. `how`: the writers' options. `isEnough(copy)`
 * tells whether that happened for which the test is made; until then there are more kills.
 */
export async function killWhileTyping(t, { kills: fewest, store, view, life = 0, how, isEnough = () => true }) {
  let kills = 0;
  let enough = false;
  const seed = seedFor(t) + life;
  const random = new Random(seed);
  const characters = uniqueCharacters();
  let server = await Server.start(t, store);
  const { port, host } = server;
  const subjects = [];
  for (let i = 0; i < documents; ++i) {
    subjects.push(new Subject(await server.create(`killed ${i}`), host, random, characters, how));
  }
  const writers = subjects.flatMap((subject) => subject.writers);
  const running = writers.map((writer) => writer.run());
  t.after(() => writers.forEach((writer) => writer.stop()));
  await until("joining", () => writers.every((writer) => writer.joined));

  let over = false;
  t.after(() => (over = true));
  const typing = typeAlong(subjects, random, () => over);
  let promised = 0;
  for (let kill = 1; kill <= fewest || !enough; ++kill) {
    const when = `seed ${seed}, kill ${kill}`;
    kills = kill;
    // Not before everybody is back and was heard: each kill hits live writers.
    // `connections` tells that it is this life of the server that was heard, not the one before.
    await until(`${when}: acknowledgements`, () =>
      writers.every((writer) => writer.connections >= kill && writer.acksOnConnection > 0));
    await sleep(random.below(60));
    await server.kill();
    const copy = view();
    try {
      copy.assertSound();
      for (const { id, record } of subjects) {
        const rows = copy.rows(id);
        assertLogHolds(rows, record);
        assert.deepEqual(record.breaches(textOf(rows), record.promise()), [], when);
      }
      enough = isEnough(copy);
    } finally {
      copy.remove();
    }
    server = await Server.start(t, { ...store, port });
    for (const subject of subjects) {
      promised = (await checkText(server, subject, when)).present.length;
      subject.assertNoFailure();
    }
  }
  over = true;
  await typing;
  assert.ok(promised > kills, "there was something to lose");

  // Everybody comes to rest, and then the text is known exactly.
  await until("the last acknowledgements", () =>
    writers.every((w) => w.connections > kills && w.joined && w.pending === 0));
  for (const subject of subjects) {
    subject.assertNoFailure();
    const text = await server.text(subject.id);
    const { present } = subject.record.promise();
    assert.deepEqual([...text].sort(), present.sort(), "all that was typed and not erased, once");
    await until("the same index", () => new Set(subject.writers.map((w) => w.applied)).size === 1);
  }
  writers.forEach((writer) => writer.stop());
  await Promise.all(running);
  await server.kill();
  const copy = view();
  t.after(() => copy.remove());
  copy.assertSound();
  server = await Server.start(t, { ...store, port });
  for (const { id, record } of subjects) {
    const rows = copy.rows(id);
    assertLogHolds(rows, record);
    assert.equal(await server.text(id), textOf(rows), "the text is what the log means");
  }
  for (const writer of writers) assert.ok(writer.connections > kills, "it came back after every kill");
  for (const writer of writers) assert.equal(writer.refusals, 0, "nobody was sent away");
  const resent = writers.reduce((sum, writer) => sum + writer.resent, 0);
  assert.ok(resent > 0, "some pushes were under way when the server died");
  const acked = subjects.reduce((sum, { record }) => sum + record.ackedCount, 0);
  t.diagnostic(`${acked} edits acknowledged, ${resent} pushes sent again, 0 lost, 0 doubled`);
}
