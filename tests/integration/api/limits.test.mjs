// The limits of docs/PROTOCOL.md that are felt from outside, each at its boundary: the last that is taken, and the first
// that is not. Those that take the inside of a room are tested there; tests/house holds that none is forgotten.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { limits } from "../../support-js/limits.mjs";
import { Postgres } from "../../support-js/postgres.mjs";
import { encodeHeartbeatReply } from "../../support-js/protocol.mjs";
import { exchange, statuses } from "../../support-js/raw_http.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { freshKey } from "../../support-js/tokens.mjs";

const json = { "Content-Type": "application/json" };

async function guarded(t, more = {}) {
  const { key, mint } = freshKey(t, "hs256");
  const server = await Server.start(t, { ...more, args: ["--key", key] });
  const ask = (token, method, path, body) => server.fetch(path, {
    method, headers: { Authorization: `Bearer ${token}`, ...(body && json) }, body: body && JSON.stringify(body),
  });
  return { server, mint, ask };
}

/** Runs `ask(n)` for n below `count`, some at a time, and gives the answers. */
async function many(count, ask) {
  const answers = [];
  for (let n = 0; n < count;) {
    const some = Array.from({ length: Math.min(50, count - n) }, () => ask(n++));
    answers.push(...(await Promise.all(some)));
  }
  return answers;
}

test("sizes of a request", async (t) => {
  const server = await Server.start(t);
  const body = (length) => {
    const frame = '{"title":"x","content":""}';
    return frame.replace('""', `"${"x".repeat(length - frame.length)}"`);
  };
  assert.equal((await server.post(body(limits.max_body_bytes))).status, 201);
  await assertProblem(await server.post(body(limits.max_body_bytes + 1)), 413, "body_too_large");

  const target = (length) => `/${"a".repeat(length - 1)}`;
  const get = (path, more = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`;
  const asked = async (bytes) => {
    const answer = await exchange(server.port, bytes);
    return [statuses(answer)[0], JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)).code];
  };
  assert.deepEqual(await asked(get(target(limits.max_target_bytes))), [404, "no_such_route"]);
  assert.deepEqual(await asked(get(target(limits.max_target_bytes + 1))), [414, "uri_too_long"]);
  const padded = (length) => {
    const rest = get("/nowhere", "X: \r\n");
    return rest.replace("X: ", `X: ${"x".repeat(length - rest.length)}`);
  };
  assert.deepEqual(await asked(padded(limits.max_header_bytes)), [404, "no_such_route"]);
  assert.deepEqual(await asked(padded(limits.max_header_bytes + 1)), [431, "header_too_large"]);

  const deep = (depth) => `{"title":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
  await assertProblem(await server.post(deep(limits.max_json_depth)), 400, "bad_field");
  await assertProblem(await server.post(deep(limits.max_json_depth + 1)), 400, "bad_json");
  const keyed = (length) => server.post({ title: "x" }, { "Idempotency-Key": "k".repeat(length) });
  assert.equal((await keyed(limits.max_idempotency_key_bytes)).status, 201);
  await assertProblem(await keyed(limits.max_idempotency_key_bytes + 1), 400, "bad_idempotency_key");
  const titled = (length) => server.post({ title: "t".repeat(length) });
  assert.equal((await titled(limits.max_title_bytes)).status, 201);
  await assertProblem(await titled(limits.max_title_bytes + 1), 400, "bad_title");
});

test("a request that does not arrive in time", { timeout: 60_000 }, async (t) => {
  const server = await Server.start(t);
  const slow = connect(server.port, "127.0.0.1");
  let answer = "";
  slow.on("data", (bytes) => (answer += bytes));
  slow.write("POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n");
  const started = Date.now();
  // A byte now and then does not help.
  const drip = setInterval(() => slow.write(" "), 1_000);
  t.after(() => clearInterval(drip));
  while (!answer.includes("request_timeout")) await once(slow, "data");
  const took = Date.now() - started;
  assert.deepEqual(statuses(answer), [408]);
  assert.ok(took > limits.request_timeout_ms - 1_000 && took < limits.request_timeout_ms + 5_000, `${took} ms`);
  slow.destroy();
});

test("messages", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const closed = async (bytes, hello) => {
    const socket = new TestSocket(server, id);
    if (hello) await socket.join();
    else await socket.opened();
    socket.ws.send(Buffer.alloc(bytes, 0xff));
    const { code } = await socket.closed;
    return [code, socket.messages.at(-1)?.code];
  };
  assert.deepEqual(await closed(limits.max_hello_bytes, false), [4400, "unexpected_message"]);
  assert.deepEqual(await closed(limits.max_hello_bytes + 1, false), [1009, "too_large"]);
  assert.deepEqual(await closed(limits.max_message_bytes + 1, true), [1009, "too_large"]);
  // Of a kind that the server does not know, such as this one, a message is passed over.
  const socket = new TestSocket(server, id);
  await socket.join();
  socket.ws.send(Buffer.alloc(limits.max_message_bytes, 0xff));
  const ended = await Promise.race([socket.closed, new Promise((resolve) => setTimeout(resolve, 500))]);
  assert.notEqual(ended?.code, 1009);
  socket.ws.terminate();
});

test("rates: messages of a session, and void tokens of an address", { timeout: 60_000 }, async (t) => {
  const { server, mint, ask } = await guarded(t);
  const ann = mint("ann");
  const { document_id: id } = await (await ask(ann, "POST", "/api/v1/documents", { title: "x" })).json();
  const socket = new TestSocket(server, id);
  await socket.join({ token: ann });
  // The hello was one; the answer to a ping comes when the server has read what went before.
  const say = async (count) => {
    for (let n = 0; n < count; ++n) socket.ws.send(encodeHeartbeatReply(0));
    socket.ws.ping();
    await Promise.race([once(socket.ws, "pong"), socket.closed]);
  };
  await say(limits.max_message_burst - 1);
  assert.equal(socket.ws.readyState, 1, "as many at once as the limit says");
  while (socket.ws.readyState === 1) await say(limits.max_messages_per_second * 2);
  assert.deepEqual(await socket.closed, { code: 4503, reason: "too_many_messages" });

  const { max_refusals_per_minute: most } = limits;
  const codes = [];
  const started = Date.now();
  for (let n = 0; n < most + 20; ++n) codes.push((await (await ask("void", "GET", "/api/v1/me")).json()).code);
  const refilled = Math.ceil((Date.now() - started) / 1000 * most / 60);
  const first = codes.indexOf("too_many_requests");
  assert.ok(first >= most && first <= most + refilled, `${first}`);
  assert.equal((await ask(ann, "GET", "/api/v1/me")).status, 200, "who has a good token is served");
});

test("sessions of one user", { timeout: 60_000 }, async (t) => {
  const { server, mint, ask } = await guarded(t);
  const ann = mint("ann");
  const ids = [];
  for (let n = 0; n < 2; ++n) ids.push((await (await ask(ann, "POST", "/api/v1/documents", { title: "x" })).json()).document_id);
  const sockets = await many(limits.max_sessions_per_user, async (n) => {
    const socket = new TestSocket(server, ids[n % 2]);
    await socket.join({ token: ann });
    return socket;
  });
  const refused = async () => {
    const socket = await new TestSocket(server, ids[0]).opened();
    await assert.rejects(socket.join({ token: ann }));
    assert.deepEqual(await socket.closed, { code: 4503, reason: "too_many_user_sessions" });
  };
  await refused();
  sockets[0].ws.close(1000);
  await sockets[0].closed;
  // Her place is free as soon as the server has seen her go.
  for (let tries = 0; ; ++tries) {
    const socket = new TestSocket(server, ids[0]);
    const joined = await socket.join({ token: ann }).catch(() => null);
    if (joined) break;
    assert.ok(tries < 100);
  }
  await refused();
  for (const socket of sockets) socket.ws.terminate();
});

test("listeners to events of one user", { timeout: 60_000 }, async (t) => {
  const { mint, ask } = await guarded(t);
  const [ann, ben] = [mint("ann"), mint("ben")];
  const { document_id: id } = await (await ask(ann, "POST", "/api/v1/documents", { title: "x" })).json();
  const path = `/api/v1/documents/${id}`;
  await ask(ann, "PUT", `${path}/members/ben`, { role: "viewer" });
  const { token: link } = await (await ask(ann, "POST", `${path}/tokens`, { role: "viewer", kind: "guest" })).json();
  const listen = (token) => ask(token, "GET", `${path}/events`);
  for (const token of [link, ann]) {
    const crowd = await many(limits.max_event_listeners_per_user, () => listen(token));
    assert.ok(crowd.every(({ status }) => status === 200));
    await assertProblem(await listen(token), 503, "too_many_user_listeners");
    await crowd[0].body.cancel();
    // The place is free as soon as the server has seen the listener go.
    let again;
    for (let tries = 0; tries < 500; ++tries) {
      again = await listen(token);
      if (again.status === 200) break;
      await again.text();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(again.status, 200);
    await assertProblem(await listen(token), 503, "too_many_user_listeners");
    t.after(() => Promise.all([again, ...crowd.slice(1)].map(({ body }) => body.cancel())));
  }
  const other = await listen(ben);
  assert.equal(other.status, 200, "others are served");
  await other.body.cancel();
});

for (const kind of ["SQLite", "PostgreSQL"]) {
  test(`what one document may have, on ${kind}`, { timeout: 120_000 }, async (t) => {
    const database = kind === "PostgreSQL" ? (await Postgres.start(t)).url() : undefined;
    const { mint, ask } = await guarded(t, { database });
    // A user is let through 500 times at once: these are more.
    const admins = Array.from({ length: 8 }, (_, n) => mint(`backend-${n}`, "--admin"));
    const { document_id: id } = await (await ask(admins[0], "POST", "/api/v1/documents", { title: "x", content: "y" })).json();
    const path = `/api/v1/documents/${id}`;
    const fill = async (most, status, one, code) => {
      const answers = await many(most, (n) => one(admins[n % admins.length], n));
      for (const answer of answers) assert.equal(answer.status, status, await answer.clone().text());
      await assertProblem(await one(admins[0], most), 413, code);
    };
    const { members } = await (await ask(admins[0], "GET", `${path}/members`)).json();
    await fill(limits.max_members - members.length, 200,
      (admin, n) => ask(admin, "PUT", `${path}/members/user-${n}`, { role: "viewer" }), "too_many_members");
    await fill(limits.max_given_tokens, 201,
      (admin) => ask(admin, "POST", `${path}/tokens`, { role: "viewer", kind: "guest" }), "too_many_tokens");
    await fill(limits.max_named_versions, 201,
      (admin, n) => ask(admin, "POST", `${path}/versions`, { name: `version ${n}`, version: 1 }), "too_many_versions");
    assert.equal((await ask(admins[1], "DELETE", `${path}/versions/version%200`)).status, 204);
    const name = (length) => ask(admins[1], "POST", `${path}/versions`, { name: "n".repeat(length), version: 1 });
    await assertProblem(await name(limits.max_version_name_bytes + 1), 400, "bad_version_name");
    assert.equal((await name(limits.max_version_name_bytes)).status, 201);
  });
}

test("pages", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x", "y");
  for (const [path, most] of [
    ["/api/v1/documents", limits.max_page_documents],
    [`/api/v1/documents/${id}/versions`, limits.max_page_versions],
    [`/api/v1/documents/${id}/operations`, limits.max_page_rows],
  ]) {
    assert.equal((await server.fetch(`${path}?limit=${most}`)).status, 200, path);
    await assertProblem(await server.fetch(`${path}?limit=${most + 1}`), 400, "bad_limit");
    await assertProblem(await server.fetch(`${path}?limit=0`), 400, "bad_limit");
  }
  const large = await server.create("x", "y".repeat(limits.max_listed_elements));
  assert.equal((await server.fetch(`/document/${large}`)).status, 200);
  const larger = await server.create("x", "y".repeat(limits.max_listed_elements + 1));
  await assertProblem(await server.fetch(`/document/${larger}`), 413, "too_many_elements");
});

test("a listener hears something at least as often as is said", { timeout: 60_000 }, async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const stream = connect(server.port, "127.0.0.1");
  t.after(() => stream.destroy());
  stream.write(`GET /api/v1/documents/${id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  let heard = "";
  stream.on("data", (bytes) => (heard += bytes));
  while (!heard.includes("event: presence")) await once(stream, "data");
  const [length, started] = [heard.length, Date.now()];
  await once(stream, "data");
  const took = Date.now() - started;
  assert.match(heard.slice(length), /^:/);
  assert.ok(took < limits.event_heartbeat_ms + 2_000, `${took} ms`);
});
