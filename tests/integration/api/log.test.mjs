// A document's log over HTTP: paging its rows, pushing operations of a site of one's own, snapshots. On both databases.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { encodeOperations } from "../../support-js/operations.mjs";
import { Postgres } from "../../support-js/postgres.mjs";
import { encodePush } from "../../support-js/protocol.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";

/** Operations in their JSON form as an operation stream. */
const streamOf = (operations) =>
  encodeOperations(operations.map((op) => ({ ...op, text: op.value, ref: op.ref ?? { sid: 0, seq: 0 } })));

const json = { "Content-Type": "application/json" };

for (const kind of ["SQLite", "PostgreSQL"]) {
  test(`the log on ${kind}`, async (t) => {
    const database = kind === "PostgreSQL" ? (await Postgres.start(t)).url() : undefined;
    const server = await Server.start(t, { database });
    const id = await server.create("logged", "ab");
    const path = `/api/v1/documents/${id}`;
    const get = (suffix, headers = {}) => server.fetch(path + suffix, { headers });
    const post = (suffix, body, headers = json) =>
      server.fetch(path + suffix, { method: "POST", headers, body: headers === json ? JSON.stringify(body) : body });

    // A site of one's own: the same for the same client.
    const client = randomUUID();
    const site = await (await post("/sites", { client })).json();
    assert.deepEqual(site, { document_id: id, sid: site.sid, acked_seq: 0, ssn: 1, version: 1 });
    assert.equal((await (await post("/sites", { client })).json()).sid, site.sid);
    assert.notEqual((await (await post("/sites", { client: randomUUID() })).json()).sid, site.sid);
    for (const [body, code] of [[{}, "missing_field"], [{ client: "x" }, "bad_client"],
      [{ client: "00000000-0000-0000-0000-000000000000" }, "bad_client"], [{ client, sid: 1 }, "unknown_field"]]) {
      await assertProblem(await post("/sites", body), 400, code);
    }

    // A push is seen in an open editor, and in the log as it was sent.
    const socket = new TestSocket(server, id);
    const welcome = await socket.join();
    const { sid } = site;
    const first = { kind: "insert", ssn: 1, sum: 3, sid, seq: 1, len: 3, ref: null, value: "xyz" };
    const second = { kind: "erase", ssn: 1, sum: 6, sid, seq: 4, len: 1, ref: { sid, seq: 2 } };
    const pushed = await post("/operations", { client, base: 1, operations: [first, second] });
    assert.equal(pushed.status, 200, await pushed.clone().text());
    const answer = await pushed.json();
    assert.deepEqual(answer, { document_id: id, sid, acked_seq: 4, version: 3, rebased: false });
    assert.equal(pushed.headers.get("etag"), '"3"');
    assert.equal(await server.text(id), "xzab");
    assert.equal((await socket.next("operations")).count, 2);
    assert.equal((await (await post("/sites", { client })).json()).acked_seq, 4);

    // Again: a success. As bytes: the same.
    assert.deepEqual(await (await post("/operations", { client, base: 1, operations: [first, second] })).json(), answer);
    const bytes = { "Content-Type": "application/octet-stream", "Weft-Client": client, "Weft-Base": "3" };
    const third = { kind: "insert", ssn: 1, sum: 7, sid, seq: 5, len: 1, ref: { sid, seq: 3 }, value: "!" };
    assert.equal((await (await post("/operations", streamOf([third]), bytes)).json()).acked_seq, 5);
    assert.equal(await server.text(id), "xz!ab");

    // The validator's refusals, with their codes, and nothing has changed.
    const push = (operation, base = 4) => post("/operations", { client, base, operations: [operation] });
    await assertProblem(await push({ ...third, seq: 7 }), 409, "sequence_gap");
    await assertProblem(await push({ ...third, value: "?" }), 409, "id_reused");
    await assertProblem(await push({ ...third, seq: 6, sum: 9 }), 409, "wrong_sum");
    await assertProblem(await push({ ...third, sid: welcome.sid, seq: 1 }), 403, "foreign_site");
    await assertProblem(await push({ ...third, seq: 6, sum: 8, ref: { sid, seq: 99 } }), 409, "unknown_reference");
    await assertProblem(await push({ ...third, seq: 6, sum: 8, ssn: 2 }), 409, "wrong_epoch");
    await assertProblem(await push({ ...third, seq: 6, sum: 8 }, 99), 409, "bad_base");
    await assertProblem(await push({ ...third, kind: "purge", seq: 6, sum: 8, value: null }), 403, "server_only");
    await assertProblem(await push({ ...third, len: 2 }), 400, "bad_operation");
    await assertProblem(await push({ ...third, extra: 1 }), 400, "bad_operation");
    await assertProblem(await post("/operations", { client, base: 4, operations: [] }), 400, "malformed_operations");
    await assertProblem(await post("/operations", { client, operations: [] }), 400, "missing_field");
    await assertProblem(await post("/operations", new Uint8Array([255]), bytes), 400, "malformed_operations");
    await assertProblem(await post("/operations", "", { ...bytes, "Weft-Base": "x" }), 400, "bad_base");
    await assertProblem(await post("/operations", "", { ...bytes, "Weft-Client": "x" }), 400, "bad_client");
    await assertProblem(await post("/operations", "", { "Content-Type": "text/plain" }), 415, "json_or_bytes_required");
    await assertProblem(await post("/operations", { client: socket.client, base: 4, operations: [third] }), 409, "client_in_session");
    assert.equal(await server.text(id), "xz!ab");

    // Pages of rows, as JSON and as bytes.
    const all = await (await get("/operations")).json();
    assert.equal(all.next_after, null);
    assert.deepEqual(all.operations.map((row) => row.version), [1, 2, 3, 4]);
    assert.deepEqual(all.operations[1].operation, first);
    assert.deepEqual(all.operations[2].operation, second);
    assert.equal(all.operations[1].base, 1);
    assert.ok(Math.abs(Date.parse(all.operations[3].time) - Date.now()) < 60_000);
    const pages = [];
    for (let after = 0; after !== null;) {
      const page = await (await get(`/operations?after=${after}&limit=3`)).json();
      assert.equal(page.after, after);
      pages.push(...page.operations);
      after = page.next_after;
    }
    assert.deepEqual(pages, all.operations);
    const stream = await get("/operations?after=1&limit=2", { Accept: "application/octet-stream" });
    assert.deepEqual(["weft-after", "weft-count", "weft-next-after"].map((name) => stream.headers.get(name)), ["1", "2", "3"]);
    assert.deepEqual(new Uint8Array(await stream.arrayBuffer()), new Uint8Array(streamOf([first, second])));
    assert.deepEqual((await (await get("/operations?after=99")).json()).operations, []);
    await assertProblem(await get("/operations?limit=0"), 400, "bad_limit");
    await assertProblem(await get("/operations?after=x"), 400, "bad_version");
    assert.equal((await get(`/operations?after=${Number.MAX_SAFE_INTEGER}`)).status, 200);
    await assertProblem(await get("/operations?after=9007199254740992"), 400, "bad_version");
    await assertProblem(await get("/operations?from=1"), 400, "unknown_parameter");
    await assertProblem(await get("/operations", { Accept: "text/html" }), 406, "not_acceptable");

    // Snapshots: one now, as bytes and as elements.
    const taken = await post("/snapshots");
    assert.equal(taken.status, 201, await taken.clone().text());
    assert.deepEqual(await taken.json(), { document_id: id, version: 4 });
    assert.equal((await post("/snapshots")).status, 201, "again: no harm");
    const latest = await get("/snapshots/latest");
    assert.equal(latest.headers.get("content-type"), "application/octet-stream");
    assert.equal(latest.headers.get("etag"), '"4"');
    assert.ok((await latest.arrayBuffer()).byteLength > 20);
    const { version, elements } = await (await get("/snapshots/latest", { Accept: "application/json" })).json();
    assert.equal(version, 4);
    assert.equal(elements.filter(({ tombstone }) => !tombstone).map(({ value }) => value).join(""), "xz!ab");
    assert.deepEqual(elements[1].s4vector, { ssn: 1, sum: 4, sid, seq: 2 });
    assert.ok(elements[1].tombstone);
    await assertProblem(await get("/snapshots/latest", { Accept: "text/plain" }), 406, "not_acceptable");
    const empty = await server.create("empty", "");
    await assertProblem(await server.fetch(`/api/v1/documents/${empty}/snapshots/latest`), 404, "snapshot_not_found");
    const nothing = await server.fetch(`/api/v1/documents/${empty}/snapshots`, { method: "POST" });
    await assertProblem(nothing, 409, "nothing_written");

    // A client that had a session goes on by REST when it has left.
    socket.ws.send(encodePush(4, [{ kind: "insert", ssn: 1, sum: 8, sid: welcome.sid, seq: 1, len: 1, ref: { sid: 0, seq: 0 }, text: "s" }]));
    await socket.next("ack");
    socket.ws.close();
    await socket.closed;
    const more = { kind: "insert", ssn: 1, sum: 9, sid: welcome.sid, seq: 2, len: 1, ref: null, value: "r" };
    let late;
    do late = await post("/operations", { client: socket.client, base: 4, operations: [more] });
    while (late.status === 409 && (await late.clone().json()).code === "client_in_session");
    assert.equal(late.status, 200, await late.clone().text());
    assert.equal(await server.text(id), "rsxz!ab");

    // Durable before the answer.
    await server.kill();
    const again = await Server.start(t, { database, data: server.data });
    assert.equal(await again.text(id), "rsxz!ab");
  });
}

test("many pushes of one client at the same time all succeed", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("pushed", "");
  const client = randomUUID();
  const post = (suffix, body) =>
    server.fetch(`/api/v1/documents/${id}${suffix}`, { method: "POST", headers: json, body: JSON.stringify(body) });
  const { sid } = await (await post("/sites", { client })).json();
  const operation = (seq) => ({ kind: "insert", ssn: 1, sum: seq, sid, seq, len: 1, ref: seq === 1 ? null : { sid, seq: seq - 1 }, value: "x" });
  const operations = [...Array(50).keys()].map((i) => operation(i + 1));
  const answers = await Promise.all(operations.map((_, i) => post("/operations", { client, base: 0, operations: operations.slice(0, i + 1) })));
  for (const [i, response] of answers.entries()) {
    assert.equal(response.status, 200, await response.clone().text());
    assert.ok((await response.json()).acked_seq >= i + 1);
  }
  assert.equal(await server.text(id), "x".repeat(50));
});
