// The same commands on PostgreSQL: fsck, stats, export, import; and a backup by PostgreSQL's own tools.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Postgres } from "../../support-js/postgres.mjs";
import { freshDirectory, Server } from "../../support-js/server.mjs";
import { assertLogHolds, PostgresView, textOf } from "../kill/database.mjs";
import { Crowd, until, weft } from "./crowd.mjs";

test("fsck and stats beside a running server, and what fsck says of damage", async (t) => {
  const postgres = await Postgres.start(t);
  const database = postgres.url();
  const server = await Server.start(t, { database });
  const id = await server.create("one", "aé😀\n");
  const gone = await server.create("two");
  const crowd = new Crowd(t, server, id, { index: 1, sum: 4 });
  await crowd.joined();
  const typing = crowd.type(600);
  const clean = await weft(["fsck", "--database-url", database]);
  assert.equal(clean.stdout, "");
  assert.match(clean.stderr, /2 documents, \d+ log rows, \d+ snapshots: clean/);
  await typing;
  await crowd.settle();
  await crowd.stop();
  await server.fetch(`/api/v1/documents/${gone}?hard=true`, { method: "DELETE" });
  const { documents, total } = JSON.parse((await weft(["stats", "--json", "--database-url", database])).stdout);
  assert.deepEqual(documents.map((document) => document.document_id), [id]);
  const text = await server.text(id);
  assert.equal(documents[0].characters, [...text].length);
  assert.equal(documents[0].text_bytes, Buffer.byteLength(text));
  assert.ok(total.log_bytes > 0 && total.database_bytes > total.log_bytes);
  await server.end();

  postgres.exec(`UPDATE operations SET timestamp = timestamp + 1 WHERE log_index = 2`);
  const found = await weft(["fsck", "--database-url", database], 1);
  assert.equal(found.stdout, `${id} operations log_index 2: the row does not fit its checksum\n`);
  assert.match((await weft(["fsck", "--database-url", postgres.url("nothing_here")], 2)).stderr, /^weft: /);
});

test("a document moves from PostgreSQL to SQLite and back with its history", async (t) => {
  const postgres = await Postgres.start(t);
  const database = postgres.url();
  const server = await Server.start(t, { database });
  const id = await server.create("moving");
  const crowd = new Crowd(t, server, id);
  await crowd.joined();
  await crowd.type(500);
  await crowd.settle();
  await crowd.stop();
  const text = await server.text(id);
  const folder = freshDirectory(t);
  const there = join(folder, "there.weft");
  const back = join(folder, "back.weft");
  await weft(["export", "--database-url", database, id, "-o", there]);
  assert.equal((await weft(["export", "--database-url", database, "--text", id])).stdout, text);
  const data = join(folder, "data");
  assert.equal((await weft(["import", "--data", data, there])).stdout, `${id}\n`);
  await weft(["fsck", "--data", data]);
  await weft(["export", "--data", data, id, "-o", back]);
  assert.match((await weft(["import", "--database-url", database, back], 1)).stderr, /there is or was/);
  // The server runs all the while.
  const copy = (await weft(["import", "--as-new", "--database-url", database, back])).stdout.trim();
  assert.equal(await server.text(copy), text);
  assert.equal(textOf(new PostgresView(postgres).rows(copy)), text);
  await weft(["fsck", "--database-url", database]);
});

test("pg_dump while people type, pg_restore, and a new lineage", async (t) => {
  const postgres = await Postgres.start(t);
  const server = await Server.start(t, { database: postgres.url() });
  const id = await server.create("backed up");
  await server.create("large", "0123456789abcdef\n".repeat(100_000));
  const crowd = new Crowd(t, server, id);
  await crowd.joined();
  let over = false;
  const typing = (async () => { while (!over) await crowd.type(50); })();
  await until("acknowledgements", () => crowd.record.ackedCount > 0);
  const before = crowd.record.promise();  // all of this must be in it
  const acked = crowd.record.ackedCount;
  const dump = join(freshDirectory(t), "weft.dump");
  await promisify(execFile)("pg_dump", ["-Fc", "-d", postgres.url(), "-f", dump]);
  await until("people go on typing", () => crowd.record.ackedCount > acked);
  over = true;
  await typing;
  await crowd.settle();
  const text = await server.text(id);
  await crowd.stop();

  postgres.exec("CREATE DATABASE restored");
  const restored = postgres.url("restored");
  execFileSync("pg_restore", ["--exit-on-error", "-d", restored, dump]);
  const lineage = (database) =>
    postgres.query(`SELECT incarnation FROM documents WHERE document_id = '${id}'`, database)[0].incarnation;
  assert.equal(lineage("restored"), lineage("postgres"));
  assert.match((await weft(["restore", "--database-url", postgres.url()], 1)).stderr, /a server is connected/);
  assert.match((await weft(["restore", "--database-url", restored, dump], 2)).stderr, /its own tools/);
  assert.match((await weft(["restore", "--database-url", restored])).stderr, /2 documents/);
  assert.notEqual(lineage("restored"), lineage("postgres"));
  await weft(["fsck", "--database-url", restored]);
  const rows = postgres.query(
    `SELECT log_index, kind, sum, sid, seq, len, ref_sid, ref_seq, value FROM operations
      WHERE document_id = '${id}' ORDER BY log_index`, "restored");
  assert.deepEqual(crowd.record.breaches(textOf(rows), before), []);
  const other = await Server.start(t, { database: restored });
  assert.equal(await other.text(id), textOf(rows));
  await other.end();

  const view = new PostgresView(postgres);
  view.assertSound();
  assertLogHolds(view.rows(id), crowd.record);
  assert.equal(await server.text(id), text, "the server itself was not disturbed");
});
