// What is asked without a good token costs the server little, and tells the asker nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../support-js/limits.mjs";
import { Postgres } from "../../support-js/postgres.mjs";
import { exchange, statuses } from "../../support-js/raw_http.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";
import { freshKey } from "../../support-js/tokens.mjs";

async function guarded(t, more = {}) {
  const { key, mint } = freshKey(t, "hs256");
  const server = await Server.start(t, { ...more, args: ["--key", key] });
  return { server, mint };
}

for (const kind of ["SQLite", "PostgreSQL"]) {
  test(`who has lost a document does not see it by creating it again, on ${kind}`, async (t) => {
    const database = kind === "PostgreSQL" ? (await Postgres.start(t)).url() : undefined;
    const { server, mint } = await guarded(t, { database });
    const [ada, ben, root] = [mint("ada"), mint("ben"), mint("root", "--admin")];
    const ask = (token, method, path, body, more = {}) => server.fetch(path, {
      method, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...more },
      body: body && JSON.stringify(body),
    });
    const create = (token) => ask(token, "POST", "/api/v1/documents", { title: "hers" }, { "Idempotency-Key": "k" });
    const { document_id: id } = await (await create(ada)).json();
    const path = `/api/v1/documents/${id}`;
    assert.equal((await ask(ada, "PUT", `${path}/members/ben`, { role: "owner" })).status, 200);
    assert.equal((await create(ada)).status, 200);
    assert.equal((await ask(ben, "PUT", `${path}/members/ada`, { role: "viewer" })).status, 200);
    assert.equal((await ask(ben, "PATCH", path, { title: "his" })).status, 200);
    const seen = await create(ada);
    assert.deepEqual([seen.status, (await seen.json()).title], [200, "his"]);
    assert.equal((await ask(ben, "DELETE", `${path}/members/ada`)).status, 204);
    const lost = await create(ada);
    assert.equal(lost.headers.get("location"), null);
    await assertProblem(lost, 404, "document_not_found");
    assert.equal((await create(root)).status, 201);
    assert.equal((await create(root)).status, 200, "an admin sees all");
  });
}

test("route, token and rate are judged before the body comes", async (t) => {
  const { server, mint } = await guarded(t);
  const [ann, root] = [mint("ann"), mint("root", "--admin")];
  const documents = "/api/v1/documents";
  const head = (method, path, token, more = "") => `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n` +
    `Content-Type: application/json\r\n${token ? `Authorization: Bearer ${token}\r\n` : ""}${more}`;
  const waiting = "Expect: 100-continue\r\n";
  // Not a byte of the body is sent.
  for (const body of ["Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"]) {
    for (const [status, code, ...request] of [
      [404, "no_such_route", "POST", "/api/v1/nothing", ann],
      [404, "document_not_found", "PUT", `${documents}/1/text`, null],
      [405, "method_not_allowed", "PUT", documents, null],
      [405, "method_not_allowed", "POST", "/", null],
      [401, "token_required", "POST", documents, null],
      [401, "token_malformed", "POST", documents, "nonsense"],
      [403, "admin_required", "POST", "/api/v1/tokens/revoke", ann],
      [404, "no_sns_endpoint", "POST", "/sns", null],
      [200, undefined, "GET", "/healthz", null],
    ]) {
      for (const more of ["", waiting]) {
        const start = Date.now();
        const answer = await exchange(server.port, head(...request, more + body), { end: true });
        assert.deepEqual(statuses(answer), [status], `${request} ${answer}`);
        assert.match(answer, /\r\nConnection: close\r\n/i);
        if (code) assert.equal(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)).code, code);
        assert.ok(Date.now() - start < 2_000);
      }
    }
  }
  const asked = await exchange(server.port, head("POST", documents, root, `${waiting}Content-Length: 2\r\n\r\n`), { timeoutMs: 500 });
  assert.deepEqual(statuses(asked), [100]);
  // Without a body the connection goes on.
  const twice = head("POST", documents, null, "Content-Length: 0\r\n\r\n") + head("GET", "/healthz", null, "Connection: close\r\n\r\n");
  assert.deepEqual(statuses(await exchange(server.port, twice)), [401, 200]);
  // What was sent behind a refused header is no request.
  const smuggled = head("POST", documents, null, "Content-Length: 200\r\n\r\n") + head("GET", "/healthz", null, "\r\n");
  assert.deepEqual(statuses(await exchange(server.port, smuggled, { end: true })), [401]);
  const many = head("GET", "/api/v1/me", null, "\r\n").repeat(limits.max_refusals_per_minute);
  const late = await exchange(server.port, many + head("POST", documents, null, `${waiting}Content-Length: 1000\r\n\r\n`), { end: true });
  assert.equal(statuses(late).at(-1), 429);
  assert.ok(!statuses(late).includes(100));
});

for (const kind of ["open", "guarded"]) {
  test(`pages of an --origin may ask, with the port that browsers leave out: ${kind}`, async (t) => {
    const args = ["--origin", "https://app.example:443", "--origin", "http://other.example:80", "--origin", "http://third.example:8080"];
    const { key, mint } = freshKey(t, "hs256");
    const server = await Server.start(t, { args: kind === "open" ? args : [...args, "--key", key] });
    const Authorization = `Bearer ${mint("ann")}`;
    const from = (Origin) => server.fetch("/api/v1/documents", { headers: { Origin, Authorization } });
    for (const origin of ["https://app.example", "http://other.example", "http://third.example:8080"]) {
      const answer = await from(origin);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("access-control-allow-origin"), origin);
    }
    for (const origin of ["http://app.example", "https://evil.example", "http://third.example"]) {
      const answer = await from(origin);
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
      await assertProblem(answer, 403, "origin_not_allowed");
    }
  });
}
