// Every route × role × {live, revoked, other document} over real HTTP, and every message × role × the same over real
// WebSockets: what is permitted is exactly what the tables say. What each route takes is written out here again, and the
// server's own table is held to it; that each is described, and nothing else, is held by tests/house/openapi.test.mjs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  encodeHeartbeatReply, encodePresence, encodePush, encodeRenew,
} from "../../support-js/protocol.mjs";
import { binary, freshDirectory, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";

const roles = ["viewer", "commenter", "editor", "owner"];
const table = readFileSync(fileURLToPath(new URL("../../../src/server/routes.cc", import.meta.url)), "utf8");
const routes = [...table.matchAll(/Route\{"([A-Z]+)",\s*"([^"]+)",\s*Operation::\w+,\s*Need::(\w+)\}/g)]
  .map(([, method, path, need]) => ({ method, path, need }));
/** The least role, as a place in `roles`. */
const least = { view: 0, comment: 1, edit: 2, own: 3 };

/** By docs/adr/0012-access.md: who may ask for what. `D` is /api/v1/documents/{id}. What comes to /sns is signed. */
const wanted = `
  nothing  GET /healthz, GET /readyz, GET /metrics, POST /sns, GET D/ws
  caller   GET /api/v1/me, GET /api/v1/documents, POST /api/v1/documents, POST /create_document
  admin    POST /api/v1/tokens/revoke, GET /api/v1/replicas
  view     GET D, GET D/text, GET D/operations, GET D/snapshots/latest, GET D/presence, GET D/events, GET D/blame, GET D/diff
  view     GET D/patches, GET D/versions, GET D/members, GET /document/{id}
  comment  POST D/versions
  edit     PUT D/text, PATCH D/text, POST D/operations, POST D/sites, POST D/snapshots, DELETE D/versions/{name}, POST D/restore
  edit     POST /document/{id}/insert, POST /document/{id}/update, POST /document/{id}/delete
  own      PATCH D, DELETE D, POST D/undelete, PUT D/members/{name}, DELETE D/members/{name}
  own      GET D/tokens, POST D/tokens, DELETE D/tokens/{name}
`.trim().split("\n").flatMap((line) => {
    const [, need, list] = /^\s*(\w+)\s+(.*)$/.exec(line);
    return list.split(", ").map((route) => `${need} ${route.replace(/ D(?=\/|$)/, " /api/v1/documents/{id}")}`);
  });

test("the server's table wants of every route what is written here", () => {
  assert.deepEqual(routes.map(({ method, path, need }) => `${need} ${method} ${path}`).sort(), [...wanted].sort());
});

function weftToken(...args) {
  const { status, stdout, stderr } = spawnSync(binary, ["token", ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** A server, and for each role tokens of a document: one that counts and one that was revoked. */
async function start(t) {
  const key = join(freshDirectory(t), "key");
  weftToken("--new-key", "es256", "--out", key);
  const server = await Server.start(t, { args: ["--key", key] });
  const admin = weftToken("--key", key, "--user", "backend", "--program", "--admin");
  const ask = (token, method, path, body) => server.fetch(path, {
    method, body, headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Type": "application/json" }) },
  });
  const made = async (path, body) => {
    const answer = await ask(admin, "POST", path, JSON.stringify(body));
    assert.equal(answer.status, 201, await answer.clone().text());
    return answer.json();
  };
  const document = async () => (await made("/api/v1/documents", { title: "x", content: "text" })).document_id;
  const [id, other] = [await document(), await document()];
  const revoke = (where, token_id) => ask(admin, "DELETE", `/api/v1/documents/${where}/tokens/${token_id}`);
  const callers = [];
  for (const role of roles) {
    for (const state of ["live", "revoked", "other document"]) {
      const where = state === "other document" ? other : id;
      const { token, token_id } = await made(`/api/v1/documents/${where}/tokens`, { role, user: role });
      if (state === "revoked") await revoke(id, token_id);
      callers.push({ role, state, token, token_id, where });
    }
  }
  return { server, ask, revoke, id, other, callers };
}

test("routes: nobody may more than the table says, and nobody less", { timeout: 120_000 }, async (t) => {
  const wrong = [];
  let asked = 0;
  const chosen = routes.filter((route) => route.path.includes("{id}") && route.need in least);
  let { ask, id, callers } = await start(t);
  for (const [n, { method, path, need }] of chosen.entries()) {
    // Of one address a server takes 60 void tokens in a minute; five come with each route.
    if (n % 10 === 9) ({ ask, id, callers } = await start(t));
    for (const { role, state, token } of [...callers, { role: "nobody", state: "live" }]) {
      // An empty object fits no route that writes: who may is told what is missing, and nothing changes.
      // What would change something without a body is asked of what is not there, or of those who may not.
      const permitted = state === "live" && roles.indexOf(role) >= least[need];
      if (permitted && method === "DELETE" && path.endsWith("{id}")) continue;
      const target = path.replace("{id}", id).replace(/\{\w+\}/g, "none");
      const answer = await ask(token, method, target, method === "GET" || method === "DELETE" ? undefined : "{}");
      const { code = "" } = /json/.test(answer.headers.get("content-type") ?? "") ? await answer.json() : {};
      answer.body?.cancel?.().catch(() => {});
      const expected = role === "nobody" ? "token_required" : state === "revoked" ? "token_revoked"
        : state === "other document" ? "document_not_found" : permitted ? "" : "role_too_low";
      const got = [401, 403].includes(answer.status) || code === "document_not_found" ? code : "";
      if (got !== expected) wrong.push(`${method} ${path}, ${role}, ${state}: ${answer.status} ${code}, not ${expected || "permitted"}`);
      ++asked;
    }
  }
  t.diagnostic(`${asked} combinations`);
  assert.ok(asked > 150, `${asked}`);
  assert.equal(wrong.length, 0, wrong.join("\n"));
});

test("routes about no document: a document's token, a revoked one and none do not open them", async (t) => {
  const { ask, id, callers } = await start(t);
  const wrong = [];
  for (const { method, path, need } of routes.filter((route) => !route.path.includes("{id}") && route.need !== "nothing")) {
    for (const { role, state, token } of [...callers, { role: "nobody", state: "live" }]) {
      const { status, code = "" } = await (await ask(token, method, path, method === "POST" ? "{}" : undefined)).json();
      const expected = role === "nobody" ? "token_required" : state === "revoked" ? "token_revoked"
        : need === "admin" ? "admin_required" : path === "/api/v1/me" ? "" : "document_token_only";
      if (code !== expected) wrong.push(`${method} ${path}, ${role}, ${state}: ${status} ${code}, not ${expected || "permitted"}`);
    }
  }
  assert.equal(wrong.length, 0, wrong.join("\n"));
  assert.equal((await ask(callers[0].token, "GET", `/api/v1/documents/${id}`)).status, 200);
});

test("whatever the role, a revocation ends the live session within two seconds", async (t) => {
  const { server, revoke, callers } = await start(t);
  for (const { role, token, token_id, where } of callers.filter(({ state }) => state === "live")) {
    const socket = new TestSocket(server, where);
    await socket.join({ token });
    const started = Date.now();
    await revoke(where, token_id);
    assert.deepEqual(await socket.closed, { code: 4401, reason: "token_revoked" }, role);
    assert.ok(Date.now() - started < 2_000, `${role}: ${Date.now() - started} ms`);
  }
});

/** Each message of a client: the least role that may send it, how it is made, and what shows that it was taken. */
const messages = {
  hello: { least: 0 },
  push: {
    least: 2, taken: "ack",
    make: ({ ssn, sid }) =>
      encodePush(0, [{ kind: "insert", len: 1, ssn, sum: 1, sid, seq: 1, ref: { sid: 0, seq: 0 }, text: "x" }]),
  },
  presence: { least: 0, make: () => encodePresence({ name: "me" }) },
  renew: { least: 0, taken: "access", make: (_, token) => encodeRenew(token) },
  heartbeat: { least: 0, make: () => encodeHeartbeatReply(0) },
};

test("messages: nobody may more than the table says, and nobody less", { timeout: 120_000 }, async (t) => {
  const { server, ask, id, callers } = await start(t);
  const wrong = [];
  let sent = 0;
  for (const { role, state, token } of callers) {
    for (const [name, { least: needed, make, taken }] of Object.entries(messages)) {
      const socket = new TestSocket(server, id);
      const permitted = state === "live" && roles.indexOf(role) >= needed;
      let got = "permitted";
      try {
        const welcome = await socket.join({ token });
        await socket.next("access");
        if (make) socket.ws.send(make(welcome, token));
        if (permitted && taken) await socket.next(taken);
        const end = await Promise.race([socket.closed, new Promise((resolve) => setTimeout(resolve, permitted ? 60 : 10_000))]);
        if (end) got = `${end.code}`;
      } catch {
        got = `${(await socket.closed).code}`;
      }
      const expected = permitted ? "permitted" : { live: "4403", revoked: "4401", "other document": "4404" }[state];
      if (got !== expected) wrong.push(`${name}, ${role}, ${state}: ${got}, not ${expected}`);
      socket.ws.terminate();
      ++sent;
    }
  }
  t.diagnostic(`${sent} combinations`);
  assert.equal(sent, Object.keys(messages).length * roles.length * 3);
  assert.equal(wrong.length, 0, wrong.join("\n"));
  const { text } = await (await ask(callers[0].token, "GET", `/api/v1/documents/${id}/text`)).json();
  assert.equal(text, "xxtext", "an editor and an owner have typed");
});
