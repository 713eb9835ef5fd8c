// Who is in a document, and who may be, across servers of one database.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Postgres } from "../../support-js/postgres.mjs";
import { encodePresence } from "../../support-js/protocol.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { freshKey } from "../../support-js/tokens.mjs";
import { Cluster, counter } from "./cluster.mjs";

// What a server says again each 8 s is forgotten when it was not heard for 24 s.
const presenceForgottenMs = 24_000 + 8_000;

const hearing = async (cluster) => {
  for (const server of cluster.servers) {
    for (const deadline = Date.now() + 10_000; (await counter(server, "weft_bus_connected")) !== 1; await sleep(20)) {
      assert.ok(Date.now() < deadline, server.stderr);
    }
  }
};

async function person(t, server, id, hello) {
  const socket = new TestSocket(server, id);
  t.after(() => socket.ws.terminate());
  await socket.join(hello);
  return socket.stay();
}

/** The next that is told of a peer of that name, or of its going. */
async function told(socket, holds, withinMs) {
  for (const deadline = Date.now() + withinMs; ;) {
    const { peers } = await socket.next("peers", Math.max(1, deadline - Date.now()));
    const found = peers.find(holds);
    if (found !== undefined) return found;
  }
}

test("presence travels, the latest wins, and what a killed server said is forgotten", { timeout: 90_000 }, async (t) => {
  const cluster = await Cluster.start(t, await Postgres.start(t), { count: 2 });
  await hearing(cluster);
  const [here, there] = cluster.servers;
  const id = await here.create("shared");
  const ada = await person(t, here, id);
  const ben = await person(t, there, id);
  const start = Date.now();
  for (let i = 1; i <= 20; ++i) ben.ws.send(encodePresence({ name: `ben ${i}`, colour: i }));
  const { session } = await told(ada, ({ name }) => name === "ben 20", 5_000);
  t.diagnostic(`seen on the other server after ${Date.now() - start} ms`);

  // Who comes later hears of him, too.
  const late = await person(t, here, id);
  await told(late, ({ name }) => name === "ben 20", 5_000);

  await cluster.stop(1, "SIGKILL");
  const killed = Date.now();
  const gone = await told(ada, (peer) => peer.session === session && !peer.present, presenceForgottenMs);
  assert.equal(gone.present, false);
  t.diagnostic(`forgotten ${Date.now() - killed} ms after its server was killed`);
});

for (const [bus, withinMs] of [["notify", 900], ["none", 3_000]]) {
  test(`a token that is revoked on one server ends sessions on the other, over ${bus}`, { timeout: 60_000 }, async (t) => {
    const { key, mint } = freshKey(t);
    const cluster = await Cluster.start(t, await Postgres.start(t), { count: 2, args: ["--key", key, "--bus", bus] });
    if (bus !== "none") await hearing(cluster);
    const [here, there] = cluster.servers;
    const ask = (server, token, method, path, body) => server.fetch(path, {
      method, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body),
    });
    const ann = mint("ann");
    const { document_id: id } = await (await ask(here, ann, "POST", "/api/v1/documents", { title: "shared" })).json();
    const path = `/api/v1/documents/${id}`;
    assert.equal((await ask(here, ann, "PUT", `${path}/members/ben`, { role: "editor" })).status, 200);

    for (let i = 0; i < 3; ++i) {
      const { token, token_id } = await (await ask(here, ann, "POST", `${path}/tokens`, { role: "editor", kind: "guest", name: "A guest" })).json();
      const guest = await person(t, there, id, { token });
      await guest.next("access");
      await sleep(100 * i);
      const start = Date.now();
      assert.equal((await ask(here, ann, "DELETE", `${path}/tokens/${token_id}`)).status, 204);
      assert.deepEqual(await guest.closed, { code: 4401, reason: "token_revoked" });
      const took = Date.now() - start;
      t.diagnostic(`ended after ${took} ms`);
      assert.ok(took < withinMs, `${took} ms`);
      const refused = await ask(there, token, "GET", `${path}/text`);
      assert.equal((await refused.json()).code, "token_revoked");
    }

    // A role, too.
    const ben = await person(t, there, id, { token: mint("ben") });
    const before = await ben.next("access");
    assert.equal((await ask(here, ann, "PUT", `${path}/members/ben`, { role: "viewer" })).status, 200);
    assert.ok((await ben.next("access", withinMs)).role < before.role);
  });
}
