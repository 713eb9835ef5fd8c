// SSN_ID: the session number that documents begin with. They keep it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Postgres } from "../../support-js/postgres.mjs";
import { Server, runWeft } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { Typist } from "../../support-js/typist.mjs";

for (const store of ["sqlite", "postgresql"]) {
  test(`documents begin with SSN_ID and keep it: ${store}`, { timeout: 60_000 }, async (t) => {
    const postgres = store === "postgresql" ? await Postgres.start(t) : undefined;
    const where = postgres ? { database: postgres.url() } : {};
    let server = await Server.start(t, { ...where, env: { SSN_ID: "41" } });
    const empty = await server.create("empty.txt");
    const filled = (await (await server.post({ title: "filled.txt", content: "hello\n" })).json()).document_id;

    const socket = new TestSocket(server, empty);
    const welcome = await socket.join();
    assert.equal(welcome.ssn, 41);
    const typist = new Typist(socket, welcome);
    typist.type("typed");
    await typist.acknowledged();
    socket.ws.terminate();

    await server.end("SIGKILL");
    server = await Server.start(t, { ...where, data: server.data, args: ["--ssn-id", "42"] });
    assert.equal(await server.text(empty), "typed");
    assert.equal(await server.text(filled), "hello\n");
    for (const id of [empty, filled]) {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify({ edits: [{ at: 0, insert: "+" }] });
      assert.equal((await server.fetch(`/api/v1/documents/${id}/text`, { method: "PATCH", headers, body })).status, 200);
      const { operations } = await (await server.fetch(`/api/v1/documents/${id}/operations`)).json();
      assert.ok(operations.length >= 2);
      assert.ok(operations.every(({ operation }) => operation.ssn === 41), JSON.stringify(operations));
    }
    const { document_id: later } = await (await server.post({ title: "later.txt", content: "x" })).json();
    const { operations } = await (await server.fetch(`/api/v1/documents/${later}/operations`)).json();
    assert.deepEqual(operations.map(({ operation }) => operation.ssn), [42], "the flag beats the variable, and new ones have it");
    await server.end();
    const arguments_ = postgres ? ["--database-url", postgres.url()] : ["--data", server.data];
    const fsck = await runWeft(["fsck", ...arguments_]);
    assert.equal(fsck.code, 0, fsck.stdout + fsck.stderr);
  });
}

test("what is no session number is refused", async () => {
  for (const SSN_ID of ["0", "-1", "1.5", "x", " 1", "9007199254740992"]) {
    const { code, stderr } = await runWeft(["config", "check"], { env: { SSN_ID } });
    assert.equal(code, 2, SSN_ID);
    assert.match(stderr, /SSN_ID/);
  }
  assert.equal((await runWeft(["config", "check"], { env: { SSN_ID: "9007199254740991" } })).code, 0);
});
