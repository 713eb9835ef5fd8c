// Edits with an Idempotency-Key: what is sent again is not done again, whatever has happened in between. On both databases.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Postgres } from "../../support-js/postgres.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";

for (const kind of ["SQLite", "PostgreSQL"]) {
  test(`repeated edits on ${kind}`, async (t) => {
    const database = kind === "PostgreSQL" ? (await Postgres.start(t)).url() : undefined;
    let server = await Server.start(t, { database });
    const id = await server.create("repeated", "text\n");
    const send = (method, body, key, more = {}) =>
      server.fetch(`/api/v1/documents/${id}/text`, {
        method,
        headers: { "Content-Type": "application/json", ...(key ? { "Idempotency-Key": key } : {}), ...more },
        body: JSON.stringify(body),
      });
    const append = { edits: [{ line: 2, lines: 0, text: "more\n" }, { find: "text", replace: "TEXT" }] };

    const first = await send("PATCH", append, "k1", { "If-Match": '"1"' });
    assert.equal(first.status, 200, await first.clone().text());
    assert.equal(first.headers.get("idempotency-replayed"), null);
    const answer = await first.json();
    assert.equal((await send("PUT", { text: "TEXT\nmore\nothers\n" })).status, 200);
    const same = async () => {
      const again = await send("PATCH", append, "k1", { "If-Match": '"1"' });
      assert.equal(again.status, 200, await again.clone().text());
      assert.equal(again.headers.get("idempotency-replayed"), "true");
      assert.equal(again.headers.get("etag"), first.headers.get("etag"));
      assert.deepEqual(await again.json(), answer);
    };
    await same();
    await assertProblem(await send("PATCH", { edits: [] }, "k1"), 409, "idempotency_key_reused");
    await assertProblem(await send("PUT", append, "k1"), 400, "unknown_field");
    await assertProblem(await send("PUT", { text: "" }, "k1"), 409, "idempotency_key_reused");
    await assertProblem(await send("PUT", { text: "" }, "a b"), 400, "bad_idempotency_key");

    // What changed nothing is remembered too: it must not undo what others do meanwhile.
    const now = await server.text(id);
    assert.deepEqual((await (await send("PUT", { text: now }, "k2")).json()).edits, []);
    assert.equal((await send("PATCH", { edits: [{ at: 0, insert: "x" }] })).status, 200);
    assert.equal((await send("PUT", { text: now }, "k2")).headers.get("idempotency-replayed"), "true");
    assert.equal(await server.text(id), `x${now}`);

    // A refusal is not remembered, and a dry run neither.
    await assertProblem(await send("PATCH", { edits: [{ at: 999 }] }, "k3"), 422, "bad_position");
    assert.equal((await send("PATCH", { edits: [{ at: 0, delete: 1 }] }, "k3")).status, 200);
    assert.equal(await server.text(id), now);

    // Many at once: one is carried out.
    const crowd = await Promise.all([...Array(12)].map(() => send("PATCH", { edits: [{ at: 0, insert: "!" }] }, "k4")));
    assert.ok(crowd.every(({ status }) => status === 200));
    assert.equal(crowd.filter((response) => response.headers.get("idempotency-replayed") === null).length, 1);
    assert.equal(new Set(await Promise.all(crowd.map((response) => response.text()))).size, 1);
    assert.equal(await server.text(id), `!${now}`);

    // After a crash as well.
    await server.kill();
    server = await Server.start(t, { database, data: server.data });
    await same();
    assert.equal(await server.text(id), `!${now}`);
  });

  test(`renaming and finding on ${kind}`, async (t) => {
    const database = kind === "PostgreSQL" ? (await Postgres.start(t)).url() : undefined;
    const server = await Server.start(t, { database });
    const id = await server.create("first.cc", "x");
    const other = await server.create("other", "x");
    const rename = (body, headers = { "Content-Type": "application/json" }) =>
      server.fetch(`/api/v1/documents/${id}`, { method: "PATCH", headers, body: JSON.stringify(body) });
    const renamed = await rename({ title: "  Zweites.cc " });
    assert.equal(renamed.status, 200, await renamed.clone().text());
    const record = await renamed.json();
    assert.deepEqual([record.document_id, record.title, record.version], [id, "Zweites.cc", 1]);
    assert.equal((await (await server.fetch(`/api/v1/documents/${id}`)).json()).title, "Zweites.cc");
    await assertProblem(await rename({ title: "" }), 400, "bad_title");
    await assertProblem(await rename({}), 400, "missing_field");
    await assertProblem(await rename({ title: "x", content: "" }), 400, "unknown_field");
    await assertProblem(await rename({ title: "x" }, { "Content-Type": "text/plain" }), 415, "json_required");

    const listed = async (query) => {
      const { documents } = await (await server.fetch(`/api/v1/documents?${query}`)).json();
      return documents.map((document) => document.document_id);
    };
    assert.deepEqual(await listed("title=zweit"), [id]);
    assert.deepEqual(await listed("title=%25"), []);
    assert.deepEqual(await listed("deleted=true"), []);
    await server.fetch(`/api/v1/documents/${other}`, { method: "DELETE" });
    assert.deepEqual(await listed("deleted=true"), [other]);
    assert.deepEqual(await listed("deleted=false"), [id]);
    await assertProblem(await server.fetch("/api/v1/documents?deleted=1"), 400, "bad_deleted");
    await assertProblem(await server.fetch(`/api/v1/documents?title=${"x".repeat(257)}`), 400, "bad_title");
    await server.fetch(`/api/v1/documents/${id}`, { method: "DELETE" });
    await assertProblem(await rename({ title: "x" }), 410, "document_deleted");
  });
}

test("the same bytes as another kind of text are another edit", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("kinds");
  const body = JSON.stringify({ text: "hello" });
  const put = (type) => server.fetch(`/api/v1/documents/${id}/text`, {
    method: "PUT", body, headers: { "Content-Type": type, "Idempotency-Key": "kinds" },
  });
  const plain = await put("text/plain");
  assert.equal(plain.status, 200);
  assert.equal(await server.text(id), body);
  await assertProblem(await put("application/json"), 409, "idempotency_key_reused");
  const again = await put("text/plain; charset=utf-8");
  assert.deepEqual([again.status, again.headers.get("idempotency-replayed")], [200, "true"]);
});
