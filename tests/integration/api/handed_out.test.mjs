// Tokens that members hand out: they end with what their minter may do, and bear nobody else's name.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Postgres } from "../../support-js/postgres.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { freshKey } from "../../support-js/tokens.mjs";

for (const kind of ["SQLite", "PostgreSQL"]) {
  test(`what a member handed out ends with the member, on ${kind}`, { timeout: 60_000 }, async (t) => {
    const { key, mint } = freshKey(t);
    const database = kind === "PostgreSQL" ? (await Postgres.start(t)).url() : undefined;
    const server = await Server.start(t, { database, args: ["--key", key] });
    const ask = (token, method, path, body) => server.fetch(path, {
      method, headers: { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const [ann, ben] = ["ann", "ben"].map((user) => mint(user));
    const { document_id: id } = await (await ask(ann, "POST", "/api/v1/documents", { title: "ours", content: "text" })).json();
    const path = `/api/v1/documents/${id}`;
    const minted = async (token, body) => {
      const answer = await ask(token, "POST", `${path}/tokens`, body);
      assert.equal(answer.status, 201, await answer.clone().text());
      return answer.json();
    };
    const setBen = async (role) => assert.equal((await ask(ann, "PUT", `${path}/members/ben`, { role })).status, 200);
    const joined = async (token) => {
      const socket = new TestSocket(server, id);
      await socket.join({ token });
      assert.equal((await socket.next("access")).role, 4);
      return socket;
    };
    await setBen("owner");

    // Ben's power: as himself, by a program, and by a link that the program has made.
    const own = await minted(ben, { role: "owner", user: "ben" });
    const program = await minted(ben, { role: "owner", kind: "program", user: "ci" });
    const link = await minted(program.token, { role: "owner", kind: "guest" });
    const all = [own, program, link].map(({ token }) => token);
    assert.equal((await (await ask(link.token, "GET", "/api/v1/me")).json()).by, "ben");
    const sockets = [];
    for (const token of all) sockets.push(await joined(token));
    const events = await ask(link.token, "GET", `${path}/events`);
    assert.equal(events.status, 200);

    await setBen("viewer");
    for (const socket of sockets) assert.equal((await socket.next("access")).role, 1);
    for (const token of all) {
      assert.equal((await ask(token, "GET", `${path}/text`)).status, 200);
      await assertProblem(await ask(token, "PUT", `${path}/members/zoe`, { role: "owner" }), 403, "role_too_low");
    }
    assert.equal((await ask(ann, "DELETE", `${path}/members/ben`)).status, 204);
    for (const socket of sockets) assert.deepEqual(await socket.closed, { code: 4403, reason: "access_revoked" });
    await events.text();  // it ends
    for (const token of all) await assertProblem(await ask(token, "GET", `${path}/text`), 404, "document_not_found");

    // He comes back, and they with him; then the program's token is revoked, and the link goes with it.
    await setBen("owner");
    const guest = await joined(link.token);
    assert.equal((await ask(ann, "DELETE", `${path}/tokens/${program.token_id}`)).status, 204);
    assert.deepEqual(await guest.closed, { code: 4401, reason: "token_revoked" });
    await assertProblem(await ask(link.token, "GET", `${path}/text`), 401, "token_revoked");
    assert.equal((await ask(own.token, "GET", `${path}/text`)).status, 200);

    // In nobody else's name.
    await assertProblem(await ask(ben, "POST", `${path}/tokens`, { role: "editor", user: "ann" }), 403, "foreign_user");
    await assertProblem(await ask(ben, "POST", `${path}/tokens`, { role: "editor", user: "zoe" }), 403, "foreign_user");
    await assertProblem(
      await ask(ben, "POST", `${path}/tokens`, { role: "editor", kind: "program", user: "ann" }), 403, "foreign_user");
    // Through eight tokens, and no further.
    let last = own.token;
    for (let n = 0; n < 8; ++n) ({ token: last } = await minted(last, { role: "owner", kind: "guest" }));
    await assertProblem(await ask(last, "POST", `${path}/tokens`, { role: "viewer", kind: "guest" }), 409, "token_chain_too_long");
  });
}
