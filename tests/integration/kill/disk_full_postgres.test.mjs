// The disk under PostgreSQL is full while people type: that of the tables, where PostgreSQL refuses and
// lives, and that of the WAL, where it ends itself and is started again by whoever looks after it, as
// systemd would. Nothing is acknowledged, what is open can be read, and when there is space again the
// server goes on by itself, with every acknowledged edit.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Postgres } from "../../support-js/postgres.mjs";
import { runWeft, Server } from "../../support-js/server.mjs";
import { Random, seedFor } from "../replay/histories.mjs";
import { assertLogHolds, PostgresView, textOf } from "./database.mjs";
import { Record, uniqueCharacters } from "./record.mjs";
import { SmallDisk } from "./small_disk.mjs";
import { Writer } from "./writer.mjs";

const rounds = 2;
const longestWait = 60_000;

async function until(what, condition) {
  for (const deadline = Date.now() + longestWait; !(await condition()); await sleep(10)) {
    assert.ok(Date.now() < deadline, `${what}: not within ${longestWait} ms`);
  }
}

/** Starts it again whenever it has ended, every half second. */
class Caretaker {
  restarts = 0;
  #running = true;
  #work;
  constructor(postgres) {
    this.#work = this.#run(postgres);
  }
  async #run(postgres) {
    for (; this.#running; await sleep(500)) {
      if (postgres.isRunning) continue;
      ++this.restarts;
      postgres.launch();
    }
  }
  async stop() {
    this.#running = false;
    await this.#work;
  }
}

/** `small`: which of PostgreSQL's directories is on a disk of so many bytes. */
async function onSmallDisk(t, small, bytes, { walSize, mayCrash }) {
  assert.equal(process.getuid(), 0, "PostgreSQL on a disk of its own takes root");
  let disk = null;
  const postgres = await Postgres.start(t, {
    options: ["-c", "checkpoint_timeout=1h", "-c", `max_wal_size=${walSize}`, "-c", "min_wal_size=2MB"],
    prepare: async (directory) => {
      for (const name of ["data", "wal"]) mkdirSync(join(directory, name), { mode: 0o700 });
      disk = await SmallDisk.make(t, join(directory, small), bytes);
      return disk.within;
    },
  });
  const caretaker = new Caretaker(postgres);
  try {
    await fillAndFree(t, postgres, disk, caretaker, mayCrash);
  } finally {
    await caretaker.stop();
  }
}

async function fillAndFree(t, postgres, disk, caretaker, mayCrash) {
  const seed = seedFor(t);
  const random = new Random(seed);
  const characters = uniqueCharacters();
  const server = await Server.start(t, { database: postgres.url() });
  const opened = "as it was\n";
  const reader = await server.create("somebody has it open", opened);
  const id = await server.create("typed on");
  const record = new Record();
  const writers = Array.from({ length: 3 }, () => new Writer({ host: server.host, id, record, random, characters }));
  const start = { index: 1, sum: opened.length };  // it was created with its text
  const visitor = new Writer({ host: server.host, id: reader, record: new Record(), random, characters, start });
  const everybody = [...writers, visitor];
  const running = everybody.map((writer) => writer.run());
  t.after(() => everybody.forEach((writer) => writer.stop()));
  const noFailure = () => everybody.forEach((w) => { if (w.failure !== null) throw w.failure; });
  const type = async (ms) => {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(random.below(6))) random.pick(writers).type();
  };
  await until("joining", () => {
    noFailure();
    return everybody.every((writer) => writer.joined);
  });
  const stored = [];  // documents whose creation was acknowledged

  for (let round = 1; round <= rounds; ++round) {
    const when = `seed ${seed}, round ${round}`;
    const before = record.ackedCount;
    await type(300);
    await until(`${when}: acknowledgements`, () => record.ackedCount > before);
    const pid = server.pid;

    // What is free inside of PostgreSQL's files is used up, too. A crash makes it tidy up, and goes on with what
    // that has freed: so it has to be quiet for longer than it takes to come back.
    let acked = -1;
    let refused = null;
    await until(`${when}: acknowledgements stop`, async () => {
      disk.fill();
      acked = record.ackedCount;
      refused = null;
      for (let i = 0; i < 20; ++i) {
        const content = randomBytes(40_000).toString("base64");
        const response = await server.post({ title: "more", content });
        if (response.status !== 201) {
          refused = { status: response.status, body: await response.text() };
          break;
        }
        stored.push({ id: (await response.json()).document_id, content });
      }
      await type(mayCrash ? 3_000 : 400);
      return refused !== null && record.ackedCount === acked;
    });
    assert.equal(refused.status, 503, refused.body);
    const promise = record.promise();
    assert.equal(await server.text(reader), opened, `${when}: an open document is served`);
    await type(300);
    assert.equal(record.ackedCount, acked, `${when}: nothing is acknowledged on a full disk`);
    assert.equal((await server.fetch("/healthz")).status, 200);
    noFailure();
    if (!mayCrash) {
      assert.equal(caretaker.restarts, 0, `${when}: PostgreSQL lives`);
      const list = await (await server.fetch("/api/v1/documents?limit=1")).json();
      assert.equal(list.documents.length, 1, `${when}: what it has can be asked for`);
    }

    disk.free();
    await until(`${when}: it goes on by itself`, () =>
      record.ackedCount > acked && everybody.every((w) => w.joined && w.pending === 0));
    assert.equal(server.pid, pid);
    noFailure();
    const text = await server.text(id);
    assert.deepEqual(record.breaches(text, promise), [], when);
    assert.deepEqual(record.breaches(text, record.promise()), [], when);
  }

  everybody.forEach((writer) => writer.stop());
  await Promise.all(running);
  for (const { id: one, content } of stored) assert.equal(await server.text(one), content);
  await server.end();
  assert.equal(postgres.log().includes("PANIC"), mayCrash, "PostgreSQL ended itself if it had to");
  const view = new PostgresView(postgres);
  view.assertSound();
  const rows = view.rows(id);
  assertLogHolds(rows, record);
  const { present } = record.promise();
  assert.deepEqual([...textOf(rows)].sort(), present.sort(), "all that was typed and not erased, once");
  const fsck = await runWeft(["fsck", "--database-url", postgres.url()]);
  assert.equal(fsck.code, 0, fsck.stdout + fsck.stderr);
  t.diagnostic(`${record.ackedCount} edits and ${stored.length} documents acknowledged, 0 lost; ` +
    `PostgreSQL was started again ${caretaker.restarts} times`);
}

test("the disk of the tables is full", { timeout: 240_000 }, (t) =>
  // A checkpoint that cannot write ends it, so none comes.
  onSmallDisk(t, "data", 64_000_000, { walSize: "1GB", mayCrash: false }));

test("the disk of the WAL is full", { timeout: 240_000 }, (t) =>
  onSmallDisk(t, "wal", 24_000_000, { walSize: "8MB", mayCrash: true }));
