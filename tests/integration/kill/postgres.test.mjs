// PostgreSQL itself is killed while people type. While it is away nobody is told that an edit is safe,
// documents that are open can be read, and the server lives; when it is back, the server is at work
// again within seconds, and nothing that was acknowledged is lost or doubled.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Postgres } from "../../support-js/postgres.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";
import { Random, seedFor } from "../replay/histories.mjs";
import { assertLogHolds, PostgresView, textOf } from "./database.mjs";
import { uniqueCharacters } from "./record.mjs";
import { checkText, documents, Subject, typeAlong, until } from "./typing.mjs";

const kills = Number(process.env.WEFT_PG_SERVER_KILLS ?? 15);
const longestRecovery = 10_000;

/** All that was acknowledged so far. */
const acknowledged = (subjects) => subjects.reduce((sum, { record }) => sum + record.ackedCount, 0);

test(`${kills} kills of PostgreSQL while people type`, { timeout: 600_000 }, async (t) => {
  const seed = seedFor(t);
  const random = new Random(seed);
  const characters = uniqueCharacters();
  const postgres = await Postgres.start(t);
  const server = await Server.start(t, { database: postgres.url() });
  const view = new PostgresView(postgres);
  const subjects = [];
  for (let i = 0; i < documents; ++i) {
    const id = await server.create(`killed ${i}`);
    subjects.push(new Subject(id, server.host, random, characters, true));
  }
  // One that is only read: somebody has it open.
  const quiet = new Subject(await server.create("quiet"), server.host, random, characters, true);
  const everybody = [...subjects, quiet];
  const writers = everybody.flatMap((subject) => subject.writers);
  const typists = subjects.flatMap((subject) => subject.writers);
  const running = writers.map((writer) => writer.run());
  t.after(() => writers.forEach((writer) => writer.stop()));
  await until("joining", () => writers.every((writer) => writer.joined));

  for (let i = 0; i < 20; ++i) quiet.writers[0].type();
  await until("the quiet document", () => quiet.writers[0].pending === 0);
  const quietText = await server.text(quiet.id);
  assert.ok(quietText.length > 10);

  let over = false;
  t.after(() => (over = true));
  const typing = typeAlong(subjects, random, () => over);
  let slowest = 0;
  for (let kill = 1; kill <= kills; ++kill) {
    const when = `seed ${seed}, kill ${kill}`;
    const before = acknowledged(subjects);
    await until(`${when}: acknowledgements`, () => acknowledged(subjects) > before + 50);
    await sleep(random.below(120));
    await postgres.stop(random.chance(0.5) ? "SIGKILL" : "SIGQUIT");

    // What was answered before may still be on its way to the writers; then nothing comes.
    await sleep(300);
    const silent = acknowledged(subjects);
    await sleep(200 + random.below(300));
    assert.equal(acknowledged(subjects), silent, `${when}: an acknowledgement without a database`);
    assert.equal(await server.text(quiet.id), quietText, `${when}: an open document is served`);
    const creating = Date.now();
    await assertProblem(await server.post({ title: "now" }), 503, "database_unavailable");
    assert.ok(Date.now() - creating < 1000, `${when}: refused at once`);

    await postgres.start();
    const back = Date.now();
    view.assertSound();
    for (const { id, record } of subjects) assertLogHolds(view.rows(id), record);
    await until(`${when}: everybody types again`, () =>
      typists.every((writer) => writer.joined && writer.acksOnConnection > 0) &&
      acknowledged(subjects) > silent);
    slowest = Math.max(slowest, Date.now() - back);
    assert.ok(Date.now() - back < longestRecovery, `${when}: back at work after ${Date.now() - back} ms`);
    for (const subject of subjects) {
      await checkText(server, subject, when);
      subject.assertNoFailure();
    }
    quiet.assertNoFailure();
  }
  over = true;
  await typing;
  await until("the last acknowledgements", () => typists.every((w) => w.joined && w.pending === 0));
  view.assertSound();
  for (const { id, record } of subjects) {
    const rows = view.rows(id);
    assertLogHolds(rows, record);
    const text = await server.text(id);
    assert.equal(text, textOf(rows), "the text is what the log means");
    assert.deepEqual([...text].sort(), record.promise().present.sort(), "all that was typed and not erased, once");
  }
  for (const writer of quiet.writers) assert.equal(writer.connections, 1, "a reader noticed nothing");
  writers.forEach((writer) => writer.stop());
  await Promise.all(running);
  const resent = typists.reduce((sum, writer) => sum + writer.resent, 0);
  t.diagnostic(`${acknowledged(subjects)} edits acknowledged, ${resent} pushes sent again, 0 lost, 0 doubled`);
  t.diagnostic(`at work again at the latest ${slowest} ms after PostgreSQL`);
});
