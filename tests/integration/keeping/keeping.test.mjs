// What keeps documents over the years, as commands: fsck, stats, export, import, backup; and deleting for
// good over REST. Judged by the server's answers and by plain SQL.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertProblem, freshDirectory, runWeft, Server } from "../../support-js/server.mjs";
import { DatabaseCopy, assertLogHolds, textOf } from "../kill/database.mjs";
import { Crowd, until, weft } from "./crowd.mjs";

const sql = (data, text) => execFileSync("sqlite3", [join(data, "weft.db"), text], { encoding: "utf8" }).trim();

test("every command tells about itself", async () => {
  const { stdout: help } = await weft(["--help"]);
  for (const name of ["fsck", "stats", "export", "import", "backup", "restore"]) {
    assert.match(help, new RegExp(`^  ${name} +\\S`, "m"));
    const { stdout } = await weft(["help", name]);
    assert.match(stdout, /--data DIR/);
    assert.ok(stdout.length > 400, "it says more than its options");
  }
  assert.equal((await runWeft(["backup"])).code, 2);
  assert.equal((await runWeft(["export", "--data", "/nowhere", "not-an-id"])).code, 2);
});

test("fsck beside a running server, and what it says of damage", async (t) => {
  const server = await Server.start(t);
  const { data } = server;
  const id = await server.create("one");
  await server.create("two", "😀".repeat(1000));
  const crowd = new Crowd(t, server, id);
  await crowd.joined();
  const typing = crowd.type(800);
  const clean = await weft(["fsck", "--data", data]);
  assert.equal(clean.stdout, "");
  assert.match(clean.stderr, /2 documents, \d+ log rows, \d+ snapshots: clean/);
  await typing;
  await crowd.settle();
  await crowd.stop();
  assert.deepEqual(JSON.parse((await weft(["fsck", "--json", "--data", data])).stdout).findings, []);
  await server.end();

  sql(data, `UPDATE operations SET timestamp = timestamp + 1 WHERE document_id = '${id}' AND log_index = 2`);
  const found = await weft(["fsck", "--data", data], 1);
  assert.equal(found.stdout, `${id} operations log_index 2: the row does not fit its checksum\n`);
  const { clean: isClean, findings } = JSON.parse((await weft(["fsck", "--json", "--data", data], 1)).stdout);
  assert.equal(isClean, false);
  assert.deepEqual(findings, [{
    document: id, table: "operations", key: "log_index 2", what: "the row does not fit its checksum",
  }]);
  // A damaged id is shown as a line of text, whatever its bytes are.
  sql(data, "PRAGMA foreign_keys=OFF; UPDATE operations SET document_id = CAST(x'61ff9b0a32' AS TEXT) " +
    `WHERE document_id = '${id}' AND log_index = 2`);
  const { stdout: damaged } = await weft(["fsck", "--data", data], 1);
  assert.match(damaged, /^a\?\?\?2 operations: document_id is not a UUID/m);
  assert.doesNotMatch(damaged, /\ufffd/);
  for (const what of ["weft.db", "nothing"]) {
    const other = freshDirectory(t);
    if (what === "weft.db") writeFileSync(join(other, what), "no database, but a text that is long enough");
    const cannot = await weft(["fsck", "--data", other], 2);
    assert.match(cannot.stderr, /^weft: /);
  }
});

test("SQL shows a document's text as soon as nobody is typing", async (t) => {
  const server = await Server.start(t);
  const { data } = server;
  const id = await server.create("one", "first\n");
  const shows = async (text) => {
    const question = `SELECT text FROM document_texts WHERE document_id = '${id}'`;
    for (const deadline = Date.now() + 15_000; sql(data, question) !== text; await sleep(50)) {
      assert.ok(Date.now() < deadline, `${sql(data, question)} and not ${text}`);
    }
  };
  await shows("first");
  const edited = await server.fetch(`/api/v1/documents/${id}/text`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ edits: [{ at: 0, insert: "at " }] }),
  });
  assert.equal(edited.status, 200);
  await shows("at first");
  const pieces = sql(data, `SELECT sid, log_index, trim(text) FROM document_blame WHERE document_id = '${id}' ORDER BY ord, seq`);
  assert.equal(pieces.replace(/\s+$/, ""), "2|2|at\n1|1|first");
});

test("stats", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("a title", "aé😀\n");
  const gone = await server.create("deleted", "x");
  await server.fetch(`/api/v1/documents/${gone}`, { method: "DELETE" });
  const { documents, total } = JSON.parse((await weft(["stats", "--json", "--data", server.data])).stdout);
  assert.equal(documents.length, 2);
  const one = documents.find((document) => document.document_id === id);
  assert.deepEqual(
    [one.title, one.deleted, one.damaged, one.characters, one.text_bytes, one.tombstones, one.log_rows],
    ["a title", false, false, 4, 8, 0, 1]);
  assert.ok(one.log_bytes > 8 && total.database_bytes >= 4096);
  assert.equal(documents.find((document) => document.document_id === gone).deleted, true);
  assert.deepEqual([total.documents, total.deleted, total.characters, total.log_rows], [2, 1, 5, 2]);
  const { stdout } = await weft(["stats", "--data", server.data]);
  assert.match(stdout, new RegExp(`^${id} +4 +8 +0 +1 .* a title$`, "m"));
  assert.match(stdout, /^2 documents/m);
});

test("a document moves to another server with its history", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("moving");
  const crowd = new Crowd(t, server, id);
  await crowd.joined();
  await crowd.type(700);
  await crowd.settle();
  const text = await server.text(id);
  const folder = freshDirectory(t);
  const file = join(folder, "moving.weft");
  await weft(["export", "--data", server.data, id, "-o", file]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match((await weft(["export", "--data", server.data, id, "-o", file], 1)).stderr, /exists/);
  assert.equal((await weft(["export", "--data", server.data, "--text", id])).stdout, text);
  await crowd.stop();
  assert.match((await weft(["import", "--data", server.data, file], 5)).stderr, /in use/);

  const data = freshDirectory(t);
  assert.equal((await weft(["import", "--data", data, file])).stdout, `${id}\n`);
  assert.match((await weft(["import", "--data", data, file], 1)).stderr, /there is or was/);
  const copy = (await weft(["import", "--data", data, "--as-new", "--title", "a copy", file])).stdout.trim();
  assert.notEqual(copy, id);
  const other = await Server.start(t, { data });
  assert.equal(await other.text(id), text);
  assert.equal(await other.text(copy), text);
  assert.equal((await (await other.fetch(`/api/v1/documents/${copy}`)).json()).title, "a copy");
  // People go on there, as new sites.
  const { version: index, sum_total: sum } = await (await other.fetch(`/api/v1/documents/${id}`)).json();
  const later = new Crowd(t, other, id, { index, sum });
  await later.joined();
  await later.type(200);
  await later.settle();
  await later.stop();
  await other.end();
  await weft(["fsck", "--data", data]);
  const rows = new DatabaseCopy(data);
  t.after(() => rows.remove());
  rows.assertSound();
  assert.equal(textOf(rows.rows(copy)), text);
  assert.equal(sql(data, "SELECT count(*) FROM sites AS a JOIN sites AS b USING (client_id) WHERE a.document_id < b.document_id"), "0");

  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] ^= 4;
  const bad = join(folder, "bad.weft");
  writeFileSync(bad, bytes);
  assert.match((await weft(["import", "--data", data, "--as-new", bad], 1)).stderr, /checksum/);
  assert.match((await weft(["import", "--data", data, join(folder, "none")], 1)).stderr, /cannot be read/);
});

test("a plain text becomes a document", async (t) => {
  const data = freshDirectory(t);
  const file = join(freshDirectory(t), "main.cc");
  writeFileSync(file, "int main() {}\r\n😀\n");
  const id = (await weft(["import", "--text", "--data", data, file])).stdout.trim();
  const server = await Server.start(t, { data });
  assert.equal(await server.text(id), "int main() {}\n😀\n");
  assert.equal((await (await server.fetch(`/api/v1/documents/${id}`)).json()).title, "main.cc");
  await server.end();
  writeFileSync(file, Buffer.from([0x61, 0xff, 0x62]));
  assert.match((await weft(["import", "--text", "--data", data, file], 1)).stderr, /UTF-8/);
});

test("a backup is of the place where the documents are, or of none", async (t) => {
  const output = join(freshDirectory(t), "backup.db");
  const url = "postgresql://me:s3cr3t@db.example/weft";
  for (const env of [{ DATABASE_URL: url }, { WEFT_DATABASE_URL: url }, { DB_HOST: "db.example", DB_NAME: "weft" }]) {
    const { code, stderr } = await runWeft(["backup", "-o", output], { env });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /db\.example.*pg_dump/);
    assert.doesNotMatch(stderr, /s3cr3t/);
    assert.ok(!existsSync(output));
  }
});

test("a backup while people type is a moment that was, and can be restored", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("backed up");
  await server.create("large", "0123456789abcdef\n".repeat(200_000));
  const crowd = new Crowd(t, server, id);
  await crowd.joined();
  let over = false;
  const typing = (async () => { while (!over) await crowd.type(50); })();
  const folder = freshDirectory(t);
  const backups = [];
  for (let i = 0; i < 6; ++i) {
    const file = join(folder, `${i}.db`);
    await sleep(60);
    const before = crowd.record.promise();  // all of this must be in it
    const acked = crowd.record.ackedCount;
    await weft(["backup", "--data", server.data, "-o", file]);
    backups.push({ file, before, acked });
    assert.ok(!existsSync(`${file}.partial`));
    assert.match((await weft(["backup", "--data", server.data, "-o", file], 1)).stderr, /exists/);
  }
  assert.ok(backups.at(-1).acked > backups[0].acked, "people went on typing");
  over = true;
  await typing;
  await crowd.settle();
  const text = await server.text(id);
  await crowd.stop();
  for (const { file, before } of backups) {
    await weft(["fsck", "--data", file]);
    const data = mkdtempSync(join(folder, "restored-"));
    await weft(["restore", "--data", data, file]);
    assert.match((await weft(["restore", "--data", data, file], 1)).stderr, /weft.db exists/);
    const lineage = sql(data, `SELECT incarnation FROM documents WHERE document_id = '${id}'`);
    assert.notEqual(lineage, sql(server.data, `SELECT incarnation FROM documents WHERE document_id = '${id}'`));
    await weft(["fsck", "--data", data]);
    const copy = new DatabaseCopy(data);
    copy.assertSound();
    const rows = copy.rows(id);
    copy.remove();
    assert.deepEqual(crowd.record.breaches(textOf(rows), before), []);
    const restored = await Server.start(t, { data });
    assert.equal(await restored.text(id), textOf(rows));
    assert.equal(await restored.end().then(({ code }) => code), 0);
  }
  await server.end();
  const last = new DatabaseCopy(server.data);
  t.after(() => last.remove());
  assertLogHolds(last.rows(id), crowd.record);
  assert.equal(textOf(last.rows(id)), text, "the server itself was not disturbed");
});

// The client was away, holds edits from after the backup, and others have typed past its index since: with
// the old lineage it would take their rows for its own.
test("a client from after the backup begins anew", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("restored");
  const crowd = new Crowd(t, server, id);
  await crowd.joined();
  await crowd.type(200);
  await crowd.settle();
  const file = join(freshDirectory(t), "backup.db");
  await weft(["backup", "--data", server.data, "-o", file]);
  // One types, the others only read: they have nothing of their own by which the server could tell.
  for (let i = 0; i < 50; ++i, await sleep(4)) crowd.writers[0].type();
  await crowd.settle();
  const { port } = server;
  await server.end();
  const data = freshDirectory(t);
  await weft(["restore", "--data", data, file]);
  // Elsewhere first, where only others find it.
  const elsewhere = await Server.start(t, { data });
  const record = async () => (await elsewhere.fetch(`/api/v1/documents/${id}`)).json();
  const { version: index, sum_total: sum } = await record();
  const others = new Crowd(t, elsewhere, id, { index, sum });
  await others.joined();
  const known = Math.max(...crowd.writers.map((writer) => writer.applied));
  assert.ok(known > index, "the crowd knows more than the backup");
  for (let end = index; end <= known + 5; end = (await record()).version) await others.type(100);
  await others.settle();
  await others.stop();
  await elsewhere.end();
  await Server.start(t, { data, port });
  // The test's writers keep their state for ever, so this is what stops them.
  await until("they are told", () => crowd.writers.every((writer) => writer.failure !== null));
  for (const writer of crowd.writers) assert.match(String(writer.failure), /lineage_mismatch|incarnation/);
  await crowd.stop();
});

test("deleting, undeleting, and deleting for good over REST", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("to go", "a rather unusual sentence\n");
  const path = `/api/v1/documents/${id}`;
  const call = (method, suffix = "") => server.fetch(path + suffix, { method });
  assert.equal((await call("POST", "/undelete")).status, 200, "undeleting what is there does no harm");
  assert.equal((await call("DELETE")).status, 204);
  await assertProblem(await call("GET", "/text"), 410, "document_deleted");
  const back = await call("POST", "/undelete");
  assert.equal(back.status, 200);
  assert.equal((await back.json()).title, "to go");
  assert.equal(back.headers.get("etag"), '"1"');
  assert.equal(await server.text(id), "a rather unusual sentence\n");

  // People who are there are sent away, and hear that it is gone.
  const crowd = new Crowd(t, server, id, { index: 1, sum: 26 });
  await crowd.joined();
  const typing = crowd.type(300);
  await sleep(100);
  await assertProblem(await call("DELETE", "?hard=perhaps"), 400, "bad_hard");
  assert.equal((await call("DELETE", "?hard=true")).status, 204);
  await typing;
  await Promise.all(crowd.running);
  for (const writer of crowd.writers) assert.match(String(writer.failure), /4404/);
  for (const [method, suffix] of [["GET", ""], ["GET", "/text"], ["DELETE", ""], ["DELETE", "?hard=true"], ["POST", "/undelete"]]) {
    await assertProblem(await call(method, suffix), 410, "document_erased");
  }
  await assertProblem(await server.fetch("/api/v1/documents/01234567-89ab-4cde-8f01-23456789abcd?hard=true", { method: "DELETE" }), 404, "document_not_found");
  // The files of the running server do not hold it any more, as soon as nobody reads what was before.
  const files = ["weft.db", "weft.db-wal"].map((name) => join(server.data, name));
  await until("the text is gone", () => files.every((name) => !readFileSync(name).includes("unusual")));
  await server.end();
  for (const table of ["documents", "sites", "operations", "document_snapshot_headers", "document_snapshot_states", "document_snapshots"]) {
    assert.equal(sql(server.data, `SELECT count(*) FROM ${table}`), "0", table);
  }
  assert.equal(readFileSync(join(server.data, "weft.db")).includes("unusual"), false);
  const again = await Server.start(t, { data: server.data });
  await assertProblem(await again.fetch(path), 410, "document_erased");
  await again.end();
  await weft(["fsck", "--data", server.data]);
});
