// Who wrote what: two people, a program of one of them and a link, by REST and by WebSocket; told by every answer that names
// sites, after a restart, by another server, in SQL and in an archive. And open mode, where nobody is known.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { Postgres } from "../../support-js/postgres.mjs";
import { encodePresence, encodePush } from "../../support-js/protocol.mjs";
import { binary, freshDirectory, runWeft, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";

const json = { "Content-Type": "application/json" };

function weftToken(...args) {
  const { status, stdout, stderr } = spawnSync(binary, ["token", ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

async function ask(server, token, method, path, body, headers = {}) {
  const response = await server.fetch(path, {
    method,
    headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body && json), ...headers },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.status < 300, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}

/** Asks until the server knows who may not come any more. */
async function ready(server, token) {
  for (const deadline = Date.now() + 10_000; ;) {
    const { status } = await server.fetch("/api/v1/me", { headers: { Authorization: `Bearer ${token}` } });
    if (status === 200) return;
    assert.ok(Date.now() < deadline, "the server gets ready");
  }
}

/** The first `count` edit events from version 0 on. */
async function edits(server, token, path, count) {
  const stop = new AbortController();
  const response = await fetch(`${server.origin}${path}/events?after=0`, {
    headers: { ...(token && { Authorization: `Bearer ${token}` }), Accept: "text/event-stream" }, signal: stop.signal,
  });
  assert.equal(response.status, 200);
  const found = [];
  let text = "";
  for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) {
    text += bytes;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      if (/^event: edit$/m.test(event)) found.push(JSON.parse(/^data: (.*)$/m.exec(event)[1]));
    }
    if (found.length >= count) break;
  }
  stop.abort();
  return found;
}

const insert = ({ ssn, sid }, { base, sum, seq, text }) =>
  encodePush(base, [{ kind: "insert", len: [...text].length, ssn, sum, sid, seq, ref: { sid: 0, seq: 0 }, text }]);

const ann = { user: "ann", name: "Ann Lee", kind: "person" };
const ben = { user: "ben", name: "ben", kind: "person" };
const formatter = { user: "ann", name: "formatter", kind: "program" };

/** Every answer about the document says of each version whose it is. `wanted`: authors by version, from 1. */
async function check(server, token, path, wanted) {
  const get = (suffix) => ask(server, token, "GET", path + suffix);
  const operations = await get("/operations");
  assert.deepEqual(operations.operations.map(({ operation }) => operations.authors[operation.sid]), wanted);
  const patches = await get("/patches");
  assert.deepEqual(patches.rows.map(({ sid }) => patches.authors[sid]), wanted);
  assert.deepEqual((await edits(server, token, path, wanted.length)).map(({ author }) => author), wanted);
  const blame = await get("/blame");
  for (const { sid, version } of blame.ranges) assert.deepEqual(blame.authors[sid], wanted[version - 1]);
  assert.deepEqual(new Set(Object.keys(blame.authors)), new Set(blame.ranges.map(({ sid }) => String(sid))));
  const versions = await get("/versions");
  const sids = versions.sessions.flatMap((session) => session.sids);
  assert.deepEqual(new Set(sids.map((sid) => versions.authors[sid].name)), new Set(wanted.map(({ name }) => name)));
}

for (const kind of ["SQLite", "PostgreSQL"]) {
  test(`every edit has its author, on ${kind}`, { timeout: 60_000 }, async (t) => {
    const postgres = kind === "PostgreSQL" ? await Postgres.start(t) : null;
    const key = join(freshDirectory(t), "key");
    weftToken("--new-key", "es256", "--out", key);
    const mint = (user, ...more) => weftToken("--key", key, "--user", user, ...more);
    const store = { database: postgres?.url(), args: ["--key", key] };
    let server = await Server.start(t, store);
    const tokens = {
      ann: mint("ann", "--name", "Ann Lee"), ben: mint("ben"), formatter: mint("ann", "--name", "formatter", "--program"),
    };
    await ready(server, tokens.ann);
    const { document_id: id } =
      await ask(server, tokens.ann, "POST", "/api/v1/documents", { title: "ours", content: "one\n" });
    const path = `/api/v1/documents/${id}`;
    await ask(server, tokens.ann, "PUT", `${path}/members/ben`, { role: "editor" });
    const { token: link, token_id: linkId } =
      await ask(server, tokens.ann, "POST", `${path}/tokens`, { kind: "guest", role: "editor", name: "a reader" });
    const guest = { user: `link:${linkId}`, name: "a reader", kind: "guest" };
    const wanted = [ann];

    // By REST: whole text, patch, the original's routes; each as its caller.
    const patch = (token, insert) => ask(server, token, "PATCH", `${path}/text`, { edits: [{ at: 0, insert }] });
    await patch(tokens.ben, "two\n");
    await patch(tokens.formatter, "three\n");
    await patch(link, "four\n");
    await patch(tokens.ann, "five\n");
    await ask(server, tokens.formatter, "POST", `/document/${id}/insert`, { value: "s" });
    wanted.push(ben, formatter, guest, ann, formatter);

    // By WebSocket, and as a site of one's own.
    const socket = new TestSocket(server, id);
    const welcome = await socket.join({ token: tokens.ben });
    socket.ws.send(insert(welcome, { base: 6, sum: 26, seq: 1, text: "w" }));
    await socket.next("ack");
    const presence = await ask(server, tokens.ann, "GET", `${path}/presence`);
    assert.deepEqual(presence.peers.map(({ sid }) => presence.authors[sid]), [ben]);
    const client = randomUUID();
    const site = await ask(server, tokens.formatter, "POST", `${path}/sites`, { client });
    const op = { kind: "insert", ssn: 1, sum: 27, sid: site.sid, seq: 1, len: 1, ref: null, value: "p" };
    await ask(server, tokens.formatter, "POST", `${path}/operations`, { client, base: 7, operations: [op] });
    wanted.push(ben, formatter);
    // The same client as somebody else is another site.
    const other = await ask(server, tokens.ann, "POST", `${path}/sites`, { client });
    assert.notEqual(other.sid, site.sid);

    // Who restores has made the edit.
    await ask(server, tokens.ben, "POST", `${path}/restore`, { version: 7 });
    wanted.push(ben);
    await check(server, tokens.ann, path, wanted);

    // Under another name she is the same.
    tokens.renamed = mint("ann", "--name", "Ann Miller");
    await ask(server, tokens.renamed, "POST", `${path}/sites`, { client });

    if (postgres === null) {
      socket.ws.terminate();
      assert.equal((await server.end()).code, 0);
      server = await Server.start(t, { ...store, data: server.data });
      await ready(server, tokens.ann);
      await check(server, tokens.ben, path, wanted);
    } else {
      const second = await Server.start(t, store);
      await ready(second, tokens.ann);
      await check(second, tokens.ben, path, wanted);
      // What is typed there is told here.
      await ask(second, tokens.ben, "PATCH", `${path}/text`, { edits: [{ at: 0, insert: "there\n" }] });
      wanted.push(ben);
      for (const deadline = Date.now() + 10_000; !(await ask(server, link, "GET", `${path}/text`)).text.startsWith("there");) {
        assert.ok(Date.now() < deadline, "the first server has heard");
      }
      await check(server, link, path, wanted);
      assert.deepEqual(
        postgres.query(`SELECT author_user, sum(rows)::int AS rows FROM document_activity WHERE document_id = '${id}'
          GROUP BY author_user ORDER BY author_user`),
        [{ author_user: "ann", rows: 5 }, { author_user: "ben", rows: 4 }, { author_user: guest.user, rows: 1 }]);
      await second.end();
    }

    // An archive has them, and so has what is made of it.
    await server.end();
    const where = postgres === null ? ["--data", server.data] : ["--database-url", postgres.url()];
    const archive = join(freshDirectory(t), "archive.weft");
    assert.equal((await runWeft(["export", ...where, id, "-o", archive])).code, 0);
    const copied = await runWeft(["import", ...where, "--as-new", archive]);
    assert.equal(copied.code, 0, copied.stderr);
    assert.equal((await runWeft(["fsck", ...where])).code, 0);
    server = await Server.start(t, { ...store, data: server.data });
    const admin = mint("backend", "--admin");
    await ready(server, admin);
    await check(server, admin, `/api/v1/documents/${copied.stdout.trim()}`, wanted);
  });
}

test("in open mode nobody is known, and a name proves nothing", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("open", "by whom?");
  const path = `/api/v1/documents/${id}`;
  const nobody = { name: "", kind: "anonymous" };
  await ask(server, null, "PATCH", `${path}/text`, { edits: [{ at: 0, insert: "who? " }] });
  const socket = new TestSocket(server, id);
  const welcome = await socket.join();
  socket.ws.send(encodePresence({ name: "ann", colour: 1, selections: [] }));
  socket.ws.send(insert(welcome, { base: 2, sum: 14, seq: 1, text: "x" }));
  await socket.next("ack");
  const named = { name: "ann", kind: "anonymous" };
  await check(server, null, path, [nobody, nobody, named]);
});
