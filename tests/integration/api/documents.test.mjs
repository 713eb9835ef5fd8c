// Every route of the REST API, as a well-behaved client uses it.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Server, assertProblem } from "../../support-js/server.mjs";

test("a document from creation to deletion", async (t) => {
  const server = await Server.start(t);
  const created = await server.post({ title: "  main.cc ", content: "one\r\ntwo\rthree\n😀" });
  assert.equal(created.status, 201);
  const record = await created.json();
  const { document_id: id } = record;
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(record.title, "main.cc");
  assert.equal(record.sum_total, 15);
  assert.match(record.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.equal(created.headers.get("location"), `/api/v1/documents/${id}`);
  assert.equal(created.headers.get("etag"), `"${record.version}"`);
  assert.equal(created.headers.get("x-content-type-options"), "nosniff");

  const path = `/api/v1/documents/${id}`;
  const read = await server.fetch(path);
  assert.equal(read.status, 200);
  assert.deepEqual(await read.json(), record);

  const text = await server.fetch(`${path}/text`);
  assert.equal(text.headers.get("content-type"), "application/json");
  const body = await text.json();
  assert.equal(body.text, "one\ntwo\nthree\n😀", "line ends are LF");
  assert.equal(body.document_id, id);
  assert.equal(body.version, record.version);
  assert.equal(body.sessions, 0);

  const plain = await server.fetch(`${path}/text`, { headers: { Accept: "text/plain" } });
  assert.equal(plain.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(plain.headers.get("vary"), "Accept");
  assert.equal(await plain.text(), "one\ntwo\nthree\n😀");

  const known = await server.fetch(`${path}/text`, {
    headers: { "If-None-Match": plain.headers.get("etag") },
  });
  assert.equal(known.status, 304);
  assert.equal(await known.text(), "");

  const removed = await server.fetch(path, { method: "DELETE" });
  assert.equal(removed.status, 204);
  for (const [method, where] of [
    ["GET", path],
    ["GET", `${path}/text`],
    ["DELETE", path],
  ]) {
    await assertProblem(await server.fetch(where, { method }), 410, "document_deleted");
  }
});

test("an empty document has an empty text", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("empty");
  assert.equal(await server.text(id), "");
});

test("text survives a restart", async (t) => {
  const server = await Server.start(t);
  const content = "int main() {}\n".repeat(2000) + "é😀";
  const id = await server.create("kept.cc", content);
  assert.deepEqual(await server.kill(), { code: null, signal: "SIGKILL" });
  const again = await Server.start(t, { data: server.data });
  assert.equal(await again.text(id), content);
});

test("the list is paged, newest first", async (t) => {
  const server = await Server.start(t);
  const ids = [];
  for (let i = 0; i < 7; ++i) ids.unshift(await server.create(`file ${i}`));
  const seen = [];
  let cursor = "";
  for (let pages = 0; pages < 10; ++pages) {
    const query = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await (await server.fetch(`/api/v1/documents?limit=3${query}`)).json();
    assert.ok(answer.documents.length <= 3);
    seen.push(...answer.documents.map((d) => d.document_id));
    if (answer.next_cursor === null) break;
    cursor = answer.next_cursor;
  }
  assert.deepEqual(seen, ids);

  await server.fetch(`/api/v1/documents/${ids[3]}`, { method: "DELETE" });
  const rest = await (await server.fetch("/api/v1/documents")).json();
  assert.deepEqual(
    rest.documents.map((d) => d.document_id),
    ids.filter((_, i) => i !== 3),
  );
});

test("bad list parameters are refused", async (t) => {
  const server = await Server.start(t);
  for (const [query, code] of [
    ["limit=0", "bad_limit"],
    ["limit=-1", "bad_limit"],
    ["limit=ten", "bad_limit"],
    ["limit=201", "bad_limit"],
    ["limit=99999999999999999999", "bad_limit"],
    ["limit=", "bad_limit"],
    ["cursor=nonsense", "bad_cursor"],
    ["order=title", "unknown_parameter"],
    ["limit=1&limit=2", "bad_query"],
    ["cursor=%zz", "bad_query"],
  ]) {
    await assertProblem(await server.fetch(`/api/v1/documents?${query}`), 400, code);
  }
});

test("creating is idempotent by key", async (t) => {
  const server = await Server.start(t);
  const key = { "Idempotency-Key": randomUUID() };
  const first = await server.post({ title: "a", content: "x" }, key);
  assert.equal(first.status, 201);
  const second = await server.post({ title: "a", content: "x" }, key);
  assert.equal(second.status, 200);
  assert.deepEqual(await second.json(), await first.json());
  await assertProblem(
    await server.post({ title: "b", content: "x" }, key),
    409,
    "idempotency_key_reused",
  );
  await assertProblem(
    await server.post({ title: "a", content: "y" }, key),
    409,
    "idempotency_key_reused",
  );
  await assertProblem(
    await server.post({ title: "a" }, { "Idempotency-Key": "k".repeat(256) }),
    400,
    "bad_idempotency_key",
  );
  assert.equal((await (await server.fetch("/api/v1/documents")).json()).documents.length, 1);

  const many = await Promise.all(
    Array.from({ length: 8 }, () => server.post({ title: "race" }, { "Idempotency-Key": "race" })),
  );
  const ids = await Promise.all(many.map(async (r) => (await r.json()).document_id));
  assert.equal(new Set(ids).size, 1, "simultaneous requests with one key make one document");
  assert.equal(many.filter((r) => r.status === 201).length, 1);
});

test("what does not exist is not found", async (t) => {
  const server = await Server.start(t);
  const never = `/api/v1/documents/${randomUUID()}`;
  for (const [method, path] of [
    ["GET", never],
    ["GET", `${never}/text`],
    ["DELETE", never],
    ["GET", "/api/v1/documents/not-a-uuid"],
  ]) {
    await assertProblem(await server.fetch(path, { method }), 404, "document_not_found");
  }
  for (const path of [
    "/api/v1/nothing",
    "/api/v2/documents",
    `${never}/texts`,
    "/d/not-a-uuid",
    "/assets/nothing.js",
    "/index.html.gz",
    "/../etc/passwd",
    "/healthz/",
  ]) {
    await assertProblem(await server.fetch(path), 404, "no_such_route");
  }
});

test("a wrong method says which are allowed", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  for (const [path, method, allow] of [
    ["/api/v1/documents", "PUT", "GET, HEAD, POST"],
    ["/api/v1/documents", "OPTIONS", "GET, HEAD, POST"],
    [`/api/v1/documents/${id}`, "POST", "GET, HEAD, PATCH, DELETE"],
    [`/api/v1/documents/${id}/text`, "DELETE", "GET, HEAD, PUT, PATCH"],
    [`/api/v1/documents/${id}/ws`, "POST", "GET, HEAD"],
    ["/healthz", "POST", "GET, HEAD"],
    ["/", "DELETE", "GET, HEAD"],
  ]) {
    const response = await server.fetch(path, { method });
    assert.equal(response.headers.get("allow"), allow);
    await assertProblem(response, 405, "method_not_allowed");
  }
});

test("HEAD is GET without a body", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x", "hello");
  for (const path of [
    "/healthz",
    "/api/v1/documents",
    `/api/v1/documents/${id}`,
    `/api/v1/documents/${id}/text`,
  ]) {
    const get = await server.fetch(path);
    const head = await server.fetch(path, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
    assert.equal(Number(head.headers.get("content-length")), (await get.arrayBuffer()).byteLength);
  }
});

test("Accept chooses the form of the text", async (t) => {
  const server = await Server.start(t);
  const path = `/api/v1/documents/${await server.create("x", "hello")}/text`;
  for (const [accept, type] of [
    ["*/*", "application/json"],
    ["text/*", "text/plain; charset=utf-8"],
    ["text/plain;q=0.4, application/json;q=0.5", "application/json"],
    ["application/json;q=0.1, text/plain", "text/plain; charset=utf-8"],
    ["text/html, */*;q=0.1", "application/json"],
  ]) {
    const response = await server.fetch(path, { headers: { Accept: accept } });
    assert.equal(response.headers.get("content-type"), type, accept);
  }
  await assertProblem(
    await server.fetch(path, { headers: { Accept: "image/png" } }),
    406,
    "not_acceptable",
  );
});

test("healthz", async (t) => {
  const server = await Server.start(t);
  const response = await server.fetch("/healthz");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: "ok", version: "0.1.0" });
});

test("what does not know If-Match or Idempotency-Key says so, and does nothing", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("safe", "text");
  const path = `/api/v1/documents/${id}`;
  const match = { "If-Match": '"999"' };
  const key = { "Idempotency-Key": "k" };
  const ask = (method, rest, headers, body) =>
    server.fetch(path + rest, {
      method, headers: { ...headers, ...(body && { "Content-Type": "application/json" }) }, body: body && JSON.stringify(body),
    });
  for (const [method, rest, body] of [
    ["DELETE", "?hard=true"], ["DELETE", ""], ["PATCH", "", { title: "other" }], ["POST", "/undelete"],
    ["POST", "/restore", { version: 1 }], ["POST", "/versions", { name: "v", version: 1 }],
    ["POST", "/snapshots"], ["PUT", "/members/ann", { role: "viewer" }],
  ]) {
    await assertProblem(await ask(method, rest, match, body), 400, "bad_if_match");
    await assertProblem(await ask(method, rest, key, body), 400, "bad_idempotency_key");
  }
  await assertProblem(await server.post({ title: "x" }, match), 400, "bad_if_match");
  const left = await (await server.fetch(path)).json();
  assert.equal(left.title, "safe");
  assert.equal(await server.text(id), "text");
});
