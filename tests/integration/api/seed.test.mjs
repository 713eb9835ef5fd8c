// The original's routes: single elements, named by S4Vectors.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertProblem, Server } from "../../support-js/server.mjs";

const json = { "Content-Type": "application/json" };

test("the original's routes", async (t) => {
  const server = await Server.start(t);
  const post = (path, body) =>
    server.fetch(path, { method: "POST", headers: json, body: body === undefined ? undefined : JSON.stringify(body) });
  const created = await server.fetch("/create_document", { method: "POST" });
  assert.equal(created.status, 201, await created.clone().text());
  const { document_id: id, title } = await created.json();
  assert.equal(title, "untitled");
  assert.equal((await (await post("/create_document", { title: "named", content: "x" })).json()).title, "named");
  const at = (rest, body) => post(`/document/${id}/${rest}`, body);
  const done = async (rest, body) => {
    const response = await at(rest, body);
    assert.equal(response.status, 200, await response.clone().text());
    return response.json();
  };
  const whole = async () => (await server.fetch(`/document/${id}`)).json();

  // Insert: at the beginning, after an element, before one.
  const b = await done("insert", { value: "b" });
  assert.deepEqual([b.value, b.tombstone, b.left, b.right, b.version, b.document_id], ["b", false, null, null, 1, id]);
  assert.deepEqual(Object.keys(b.s4vector), ["ssn", "sum", "sid", "seq"]);
  const d = await done("insert", { value: "😀", left: b.s4vector, right: null, tombstone: false });
  assert.deepEqual([d.left, d.right], [b.s4vector, null]);
  const c = await done("insert", { value: "c", left: b.s4vector });
  assert.deepEqual([c.left, c.right], [b.s4vector, d.s4vector]);
  const a = await done("insert", { value: "a", right: b.s4vector });
  assert.deepEqual([a.left, a.right], [null, b.s4vector]);
  assert.equal(await server.text(id), "abc😀");

  // Update keeps the element, deletion leaves a tombstone; both again are a success.
  const updated = await done("update", { value: "B", s4vector: b.s4vector });
  assert.deepEqual([updated.value, updated.s4vector, updated.left, updated.right], ["B", b.s4vector, a.s4vector, c.s4vector]);
  const deleted = await done("delete", { s4vector: c.s4vector });
  assert.deepEqual([deleted.tombstone, deleted.value, deleted.s4vector], [true, null, c.s4vector]);
  assert.equal((await done("delete", { s4vector: c.s4vector })).version, deleted.version);
  assert.equal((await done("update", { value: "x", s4vector: c.s4vector })).tombstone, true);
  const e = await done("insert", { value: "e", left: c.s4vector });
  assert.equal(await server.text(id), "aBe😀");

  const document = await whole();
  assert.equal(document.text, "aBe😀");
  assert.deepEqual(document.elements.filter(({ tombstone }) => !tombstone).map(({ value }) => value), ["a", "B", "e", "😀"]);
  assert.equal(document.elements.length, 5);
  document.elements.forEach((element, i) => {
    assert.deepEqual(element.left, document.elements[i - 1]?.s4vector ?? null);
    assert.deepEqual(element.right, document.elements[i + 1]?.s4vector ?? null);
  });
  const found = document.elements.find(({ value }) => value === "e");
  assert.deepEqual([found.s4vector, found.left, found.right], [e.s4vector, e.left, e.right]);

  for (const [rest, body, status, code] of [
    ["insert", {}, 400, "missing_field"], ["insert", { value: "" }, 400, "missing_field"],
    ["insert", { value: 1 }, 400, "bad_field"], ["insert", { value: "x", s4vector: b.s4vector }, 400, "bad_field"],
    ["insert", { value: "x", left: {} }, 400, "bad_field"], ["insert", { value: "x", left: { ...b.s4vector, x: 1 } }, 400, "unknown_field"],
    ["insert", { value: "x", left: { ...b.s4vector, sum: b.s4vector.sum + 1 } }, 409, "unknown_element"],
    ["insert", { value: "x", right: { ...b.s4vector, seq: 99 } }, 409, "unknown_element"],
    ["insert", { value: "x", tombstone: 1 }, 400, "bad_field"], ["insert", { value: "x", site: 1 }, 400, "unknown_field"],
    ["insert", { value: "x", tombstone: true }, 400, "bad_field"],
    ["update", { value: "xy", s4vector: b.s4vector }, 400, "bad_field"], ["update", { value: "x" }, 400, "missing_field"],
    ["delete", {}, 400, "missing_field"], ["delete", { s4vector: { ...b.s4vector, ssn: 9 } }, 409, "unknown_element"],
  ]) {
    await assertProblem(await at(rest, body), status, code);
  }
  for (const [headers, code] of [[{ "Idempotency-Key": "k" }, "bad_idempotency_key"], [{ "If-Match": '"1"' }, "bad_if_match"]]) {
    for (const rest of ["insert", "update", "delete"]) {
      const body = JSON.stringify({ value: "x", ...(rest !== "insert" && { s4vector: b.s4vector }) });
      const asked = { method: "POST", headers: { ...json, ...headers }, body };
      await assertProblem(await server.fetch(`/document/${id}/${rest}`, asked), 400, code);
    }
  }
  assert.equal(await server.text(id), "aBe😀");
  await assertProblem(await server.fetch(`/document/${id}/insert`, { method: "POST", body: "{}" }), 415, "json_required");
  await assertProblem(await server.fetch(`/document/${id}/insert`), 405, "method_not_allowed");
  await assertProblem(await server.fetch("/document/1"), 404, "document_not_found");
  await assertProblem(await server.fetch("/document/00000000-0000-4000-8000-000000000000"), 404, "document_not_found");
  await assertProblem(await at("move", {}), 404, "no_such_route");
});

test("a large document is not given as a list of elements", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("large", "x".repeat(50_001));
  await assertProblem(await server.fetch(`/document/${id}`), 413, "too_many_elements");
});
