// Who may do what, over real sockets: tokens, roles, links, revocation while sessions are open.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { limits } from "../../support-js/limits.mjs";
import { Postgres } from "../../support-js/postgres.mjs";
import { encodePush, encodeRenew } from "../../support-js/protocol.mjs";
import { assertProblem, binary, freshDirectory, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { signedToken } from "../../support-js/tokens.mjs";

const json = { "Content-Type": "application/json" };

/** weft token ...: what it prints. */
function weftToken(...args) {
  const { status, stdout, stderr } = spawnSync(binary, ["token", ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** A server with a key; mint(user, ...) makes tokens of that key. */
async function guarded(t, { args = [], ...more } = {}) {
  const key = join(freshDirectory(t), "key");
  weftToken("--new-key", "es256", "--out", key);
  const server = await Server.start(t, { ...more, args: ["--key", key, ...args] });
  const mint = (user, ...options) => weftToken("--key", key, "--user", user, ...options);
  const ask = (token, method, path, body, headers = {}) =>
    server.fetch(path, {
      method,
      headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body && json), ...headers },
      body: body && JSON.stringify(body),
    });
  return { server, key, mint, ask };
}

async function joined(server, id, token) {
  const socket = new TestSocket(server, id);
  const welcome = await socket.join({ token });
  return { socket, ...welcome, access: await socket.next("access") };
}

const typing = ({ ssn, sid }, text = "x") =>
  encodePush(0, [{ kind: "insert", len: 1, ssn, sum: 1, sid, seq: 1, ref: { sid: 0, seq: 0 }, text }]);

for (const kind of ["SQLite", "PostgreSQL"]) {
  test(`members and their roles, on ${kind}`, async (t) => {
    const database = kind === "PostgreSQL" ? (await Postgres.start(t)).url() : undefined;
    const { server, mint, ask } = await guarded(t, { database });
    const [ann, ben, zoe] = ["ann", "ben", "zoe"].map((user) => mint(user));
    const { document_id: id } = await (await ask(ann, "POST", "/api/v1/documents", { title: "mine" })).json();
    const path = `/api/v1/documents/${id}`;

    await assertProblem(await ask(null, "GET", path), 401, "token_required");
    const forged = ann.slice(0, -10) + (ann.at(-10) === "A" ? "B" : "A") + ann.slice(-9);
    await assertProblem(await ask(forged, "GET", path), 401, "token_bad_signature");
    await assertProblem(await ask(ben, "GET", path), 404, "document_not_found");
    assert.equal((await ask(ann, "GET", path)).status, 200);
    const titles = async (token) =>
      (await (await ask(token, "GET", "/api/v1/documents")).json()).documents.map((document) => document.title);
    assert.deepEqual([await titles(ann), await titles(ben)], [["mine"], []]);

    assert.equal((await ask(ann, "PUT", `${path}/members/ben`, { role: "viewer" })).status, 200);
    assert.deepEqual(await titles(ben), ["mine"]);
    await assertProblem(await ask(ben, "PATCH", path, { title: "his" }), 403, "role_too_low");
    await assertProblem(await ask(ben, "PUT", `${path}/members/zoe`, { role: "viewer" }), 403, "role_too_low");
    assert.equal((await ask(ann, "PATCH", path, { title: "ours" })).status, 200);
    assert.deepEqual(await titles(ben), ["ours"]);

    // Live: a viewer reads, an editor types, and a change of role is felt by who is there.
    const viewer = await joined(server, id, ben);
    assert.equal(viewer.access.role, 1);
    assert.equal(viewer.access.name, "ben");
    assert.equal((await ask(ann, "PUT", `${path}/members/ben`, { role: "editor" })).status, 200);
    assert.equal((await viewer.socket.next("access")).role, 3);
    viewer.socket.ws.send(typing(viewer));
    assert.equal((await viewer.socket.next("ack")).seq, 1);
    const start = Date.now();
    assert.equal((await ask(ann, "DELETE", `${path}/members/ben`)).status, 204);
    assert.deepEqual(await viewer.socket.closed, { code: 4403, reason: "access_revoked" });
    assert.ok(Date.now() - start < 2_000, "within two seconds");
    await assertProblem(await ask(ben, "GET", path), 404, "document_not_found");
    await assertProblem(await ask(ann, "DELETE", `${path}/members/ann`), 409, "last_owner");

    // A stranger's socket is told no more than that there is nothing.
    const stranger = new TestSocket(server, id);
    await assert.rejects(stranger.join({ token: zoe }));
    assert.equal((await stranger.closed).code, 4404);
    // The owner of a deleted document still is its owner.
    assert.equal((await ask(ann, "DELETE", path)).status, 204);
    await assertProblem(await ask(ben, "POST", `${path}/undelete`), 404, "document_not_found");
    assert.equal((await ask(ann, "POST", `${path}/undelete`)).status, 200);
  });
}

test("an idempotency key is each user's own", async (t) => {
  const { server, mint, ask } = await guarded(t);
  const create = async (user, title) => {
    const answer = await ask(mint(user), "POST", "/api/v1/documents", { title }, { "Idempotency-Key": "1" });
    return { status: answer.status, ...(await answer.json()) };
  };
  const ann = await create("ann", "secret plans");
  assert.equal(ann.status, 201);
  const eve = await create("eve", "secret plans");
  assert.equal(eve.status, 201, "she learns nothing of the other document");
  assert.notEqual(eve.document_id, ann.document_id);
  assert.equal((await create("eve", "other")).code, "idempotency_key_reused");
  const again = await create("ann", "secret plans");
  assert.deepEqual([again.status, again.document_id], [200, ann.document_id]);
});

test("a user creates 2,000 documents, and an admin any number", async (t) => {
  const data = freshDirectory(t);
  const { server, mint, ask } = await guarded(t, { data });
  const ann = mint("ann");
  const create = (token) => ask(token, "POST", "/api/v1/documents", { title: "one more" });
  assert.equal((await create(ann)).status, 201);
  const others = limits.max_documents_per_user - 2;
  // Their rows are quicker made than asked for.
  execFileSync("sqlite3", [join(data, "weft.db"), `
    PRAGMA busy_timeout = 5000;
    CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${others})
      SELECT printf('00000000-0000-4000-8000-%012d', i) AS id FROM n;
    BEGIN IMMEDIATE;
    INSERT INTO documents (document_id, owner_id, creation_date, title, incarnation, ssn, last_index, sum_total, next_sid, updated, checksum)
      SELECT n.id, owner_id, creation_date, title, n.id, ssn, last_index, sum_total, next_sid, updated, checksum
        FROM n, (SELECT * FROM documents LIMIT 1);
    INSERT INTO document_members (document_id, user_id, role, added) SELECT id, 'ann', 4, 0 FROM n;
    COMMIT;`]);
  assert.equal((await create(ann)).status, 201);
  await assertProblem(await create(ann), 413, "too_many_documents");
  assert.equal((await create(mint("ben"))).status, 201);
  assert.equal((await create(mint("ann", "--admin"))).status, 201);
});

test("links and tokens of a document are minted, listed, and end when they are revoked", async (t) => {
  const { server, mint, ask } = await guarded(t);
  const ann = mint("ann");
  const { document_id: id } = await (await ask(ann, "POST", "/api/v1/documents", { title: "shared" })).json();
  const { document_id: other } = await (await ask(ann, "POST", "/api/v1/documents", { title: "not shared" })).json();
  const path = `/api/v1/documents/${id}`;
  const made = await (await ask(ann, "POST", `${path}/tokens`, { role: "editor", kind: "guest", name: "A guest" })).json();
  assert.equal((await ask(made.token, "GET", `${path}/text`)).status, 200);
  await assertProblem(await ask(made.token, "GET", `/api/v1/documents/${other}/text`), 404, "document_not_found");
  await assertProblem(await ask(made.token, "GET", "/api/v1/documents"), 403, "document_token_only");
  await assertProblem(await ask(made.token, "POST", `${path}/tokens`, { role: "viewer", kind: "guest" }), 403, "role_too_low");

  const guest = await joined(server, id, made.token);
  assert.deepEqual([guest.access.role, guest.access.name], [3, "A guest"]);
  guest.socket.ws.send(typing(guest));
  await guest.socket.next("ack");
  const { tokens } = await (await ask(ann, "GET", `${path}/tokens`)).json();
  assert.deepEqual(tokens.map(({ token_id, revoked }) => [token_id, revoked]), [[made.token_id, false]]);
  const start = Date.now();
  assert.equal((await ask(ann, "DELETE", `${path}/tokens/${made.token_id}`)).status, 204);
  assert.deepEqual(await guest.socket.closed, { code: 4401, reason: "token_revoked" });
  assert.ok(Date.now() - start < 2_000, "within two seconds");
  await assertProblem(await ask(made.token, "GET", `${path}/text`), 401, "token_revoked");

});

test("a token that was minted elsewhere is revoked by the back end", async (t) => {
  const data = freshDirectory(t);
  const { server, mint, ask } = await guarded(t, { data });
  const admin = mint("backend", "--program", "--admin");
  const token = mint("ann", "--id", "the-token-of-ann");
  const { document_id: id } = await (await ask(token, "POST", "/api/v1/documents", { title: "x" })).json();
  const live = await joined(server, id, token);
  const revocation = { token_id: "the-token-of-ann", expires_at: new Date(Date.now() + 86_400_000).toISOString() };
  await assertProblem(await ask(token, "POST", "/api/v1/tokens/revoke", revocation), 403, "admin_required");
  const past = { ...revocation, expires_at: new Date(Date.now() - 61_000).toISOString() };
  await assertProblem(await ask(admin, "POST", "/api/v1/tokens/revoke", past), 400, "already_ended");
  assert.equal((await ask(token, "GET", "/api/v1/me")).status, 200);
  assert.equal((await ask(admin, "POST", "/api/v1/tokens/revoke", revocation)).status, 204);
  assert.equal((await live.socket.closed).reason, "token_revoked");
  await assertProblem(await ask(token, "GET", "/api/v1/me"), 401, "token_revoked");
  // When it ends need not be known.
  const other = mint("ann", "--id", "another-token");
  assert.equal((await ask(admin, "POST", "/api/v1/tokens/revoke", { token_id: "another-token" })).status, 204);
  await assertProblem(await ask(other, "GET", "/api/v1/me"), 401, "token_revoked");
  assert.equal((await (await ask(admin, "GET", "/api/v1/me")).json()).admin, true);
});

test("a token counts to the end of the leeway, at every door; a session goes on with a fresh one", async (t) => {
  const { server, key, mint, ask } = await guarded(t);
  const ann = mint("ann");
  const { document_id: id } = await (await ask(ann, "POST", "/api/v1/documents", { title: "x" })).json();
  const leeway = 60;
  const end = Math.floor(Date.now() / 1000) + 4;
  const short = signedToken(key, { sub: "ann", exp: end - leeway });
  const over = signedToken(key, { sub: "ann", exp: end - leeway - 4 });
  await assertProblem(await ask(over, "GET", "/api/v1/me"), 401, "token_expired");
  assert.equal((await ask(short, "GET", "/api/v1/me")).status, 200);
  const events = await ask(short, "GET", `/api/v1/documents/${id}/events`);
  assert.equal(events.status, 200);
  const ending = await joined(server, id, short);
  const renewing = await joined(server, id, short);
  renewing.socket.ws.send(encodeRenew(ann));
  assert.ok((await renewing.socket.next("access")).expiresIn > 1_000);
  assert.match(await events.text(), /^event: open/m);  // the whole stream: it has ended
  assert.ok(Date.now() >= end * 1000, "not before the leeway's end");
  assert.equal((await ending.socket.closed).reason, "token_expired");
  assert.ok(Date.now() < (end + 10) * 1000, "soon after it");
  renewing.socket.ws.send(typing(renewing));
  assert.equal((await renewing.socket.next("ack")).seq, 1);
  const bad = new TestSocket(server, id);
  await assert.rejects(bad.join({ token: "nonsense" }));
  assert.deepEqual([(await bad.closed).code, bad.messages.at(-1).code], [4401, "token_malformed"]);
});

test("pages of listed origins may ask, others may not", async (t) => {
  const { server, mint, ask } = await guarded(t, { args: ["--origin", "https://app.example.org"] });
  const ann = mint("ann");
  const from = (origin) => ask(ann, "GET", "/api/v1/me", undefined, { Origin: origin });
  const listed = await from("https://app.example.org");
  assert.equal(listed.status, 200);
  assert.equal(listed.headers.get("access-control-allow-origin"), "https://app.example.org");
  await assertProblem(await from("https://evil.example.org"), 403, "origin_not_allowed");
  const preflight = await server.fetch("/api/v1/documents", {
    method: "OPTIONS",
    headers: { Origin: "https://app.example.org", "Access-Control-Request-Method": "POST" },
  });
  assert.equal(preflight.status, 204);
  const list = (answer, name) => answer.headers.get(name).split(", ");
  for (const name of ["Authorization", "If-Match", "Idempotency-Key", "Weft-Client", "Weft-Base"]) {
    assert.ok(list(preflight, "access-control-allow-headers").includes(name), name);
  }
  for (const name of ["ETag", "Idempotency-Replayed", "Weft-Next-After"]) {
    assert.ok(list(listed, "access-control-expose-headers").includes(name), name);
  }
});

test("strangers find no open door: other addresses take keys and somebody who does TLS", (t) => {
  const serve = (...args) =>
    spawnSync(binary, ["serve", "--data", freshDirectory(t), "--listen", "0.0.0.0:0", ...args], { encoding: "utf8", timeout: 20_000 });
  const key = join(freshDirectory(t), "key");
  weftToken("--new-key", "hs256", "--out", key);
  const open = serve();
  assert.equal(open.status, 2);
  assert.match(open.stderr, /without --key/);
  const clear = serve("--key", key);
  assert.equal(clear.status, 2);
  assert.match(clear.stderr, /--behind-proxy/);
});

test("too many requests of one user are refused with the time to wait", async (t) => {
  const { mint, ask } = await guarded(t);
  const [ann, ben] = [mint("ann"), mint("ben")];
  let refused = null;
  for (let round = 0; round < 40 && refused === null; ++round) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(ann, "GET", "/api/v1/me")));
    refused = answers.find((answer) => answer.status !== 200) ?? null;
  }
  assert.notEqual(refused, null);
  await assertProblem(refused, 429, "too_many_requests");
  assert.ok(Number(refused.headers.get("retry-after")) >= 1);
  assert.equal((await ask(ben, "GET", "/api/v1/me")).status, 200, "others are served");
  const wait = Number(refused.headers.get("retry-after"));
  assert.ok(wait <= limits.max_request_burst / limits.max_requests_per_second, `${wait} s`);
});
