// Servers of this version beside those of the next minor one, which does not exist yet: what it may do to
// the database, to the bus and in a hello is done by the test, while people type on two servers.
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { Postgres } from "../../support-js/postgres.mjs";
import { Close, encodeHeartbeatReply, encodeHello } from "../../support-js/protocol.mjs";
import { Server, runWeft } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { until } from "../kill/typing.mjs";
import { Cluster, Typing, counter } from "./cluster.mjs";
import { Neighbour } from "./neighbour.mjs";

const exitNewerSchema = 7;

async function typingOnTwo(t) {
  const postgres = await Postgres.start(t);
  const cluster = await Cluster.start(t, postgres, { count: 2 });
  for (const server of cluster.servers) await until("hearing", () => /bus_connected/.test(server.stderr));
  const [first] = cluster.servers;
  const typing = new Typing(t, cluster, [await first.create("one"), await first.create("two")], 6);
  await typing.begin();
  /** Until people have typed on in both documents. */
  const goesOn = async (what) => {
    const enough = typing.subjects.map(({ record }) => record.ackedCount + 200);
    await until(what, () => typing.subjects.every(({ record }, i) => record.ackedCount > enough[i]));
  };
  await goesOn("typing");
  return { postgres, cluster, typing, goesOn };
}

test("a newer server raises the schema under older ones", { timeout: 90_000 }, async (t) => {
  const { postgres, cluster, typing, goesOn } = await typingOnTwo(t);
  const [{ version }] = postgres.query("SELECT max(version) AS version FROM schema_migrations");
  // As src/storage/pg_schema.cc would, in one transaction.
  postgres.exec(`
    SELECT pg_advisory_xact_lock(6297993990093432436);
    ALTER TABLE documents ADD COLUMN colour text;
    ALTER TABLE operations ADD COLUMN mood bigint;
    CREATE TABLE moods (document_id uuid PRIMARY KEY REFERENCES documents, mood text NOT NULL);
    INSERT INTO schema_migrations (version, name, applied) VALUES (${version + 1}, 'moods', 0)`);
  await goesOn("typing on the newer schema");
  // What older servers do besides typing.
  const [one, other] = cluster.servers;
  const id = await one.create("afterwards", "text");
  assert.equal(await other.text(id), "text");
  assert.equal((await other.fetch(`/api/v1/documents/${id}`, { method: "DELETE" })).status, 204);

  for (const command of [["serve", "--listen", "127.0.0.1:0"], ["migrate"]]) {
    const { code, stderr } = await runWeft([...command, "--database-url", postgres.url()]);
    assert.equal(code, exitNewerSchema, `${command[0]}: ${stderr}`);
    assert.match(stderr, new RegExp(`has schema version ${version + 1}, and this program knows versions up to ${version}\\.`));
  }
  await goesOn("typing after an older server was refused");
  t.diagnostic(`${await typing.endAndCheck(5_000)} edits acknowledged, all equal after ${typing.restMs} ms`);
  for (const writer of typing.writers) assert.equal(writer.failure, null);
});

test("what a newer server says on the bus", { timeout: 90_000 }, async (t) => {
  const { postgres, cluster, typing, goesOn } = await typingOnTwo(t);
  const neighbour = new Neighbour(postgres);
  const [{ id }] = typing.subjects;
  const [{ incarnation }] = postgres.query(`SELECT incarnation FROM documents WHERE document_id = '${id}'`);
  const watchers = cluster.servers.map((server) => new TestSocket(server, id));
  t.after(() => watchers.forEach(({ ws }) => ws.terminate()));
  for (const watcher of watchers) await watcher.join();
  const before = await Promise.all(cluster.servers.map((server) => drops(server)));

  const unknown = randomBytes(40);
  const log = { document: id, incarnation, lastIndex: 1 };
  const rounds = 10;
  for (let round = 1; round <= rounds; ++round) {
    const known = [
      neighbour.message(99, unknown),  // a kind of the future
      neighbour.message(1, unknown, { version: 2 }),  // a form of the future
      neighbour.logNews(log, { version: 7 }),
      neighbour.logNews(log, { more: unknown }),  // fields of the future
      neighbour.logNews({ ...log, lastIndex: 10 ** 9 + round }),  // rows that the database does not have
      neighbour.logNews({ ...log, incarnation: randomUUID(), lastIndex: 10 ** 9 }),
      neighbour.message(3, Buffer.from(randomUUID().replaceAll("-", ""), "hex"), { more: unknown }),
      neighbour.message(4, [], { more: unknown }),
      neighbour.presence({ document: id, order: round, session: 5, name: `newer ${round}` }, { more: unknown }),
    ].map((message) => neighbour.sealed(message));
    neighbour.notify([
      neighbour.frame(known),
      neighbour.frame([neighbour.sealed(neighbour.message(1, [round]))]),  // ends early
      neighbour.frame([neighbour.sealed(neighbour.logNews(log), { version: 2 }), randomBytes(60)]),
      neighbour.frame([neighbour.sealed(neighbour.logNews(log), { secret: randomBytes(32) })]),
      neighbour.frame(known, 2),
      `not a frame ${round}`,
    ]);
    await goesOn(`round ${round}`);
  }
  for (const [i, server] of cluster.servers.entries()) {
    await until("it heard them", () => (server.stderr.match(/replica_message_refused/g) ?? []).length === rounds);
    const { rejected, malformed } = await drops(server);
    assert.equal(rejected - before[i].rejected, 3 * rounds, "seals that are none, or newer ones");
    assert.equal(malformed - before[i].malformed, 2 * rounds, "frames that are none, or newer ones");
    assert.equal(await counter(server, "weft_divergences_total"), 0);
    assert.equal(await counter(server, "weft_bus_losses_total"), 0);
    // What could be read was: the fields before those of the future.
    const names = watchers[i].messages.filter(({ kind }) => kind === "peers").flatMap(({ peers }) => peers.map(({ name }) => name));
    assert.ok(names.includes(`newer ${rounds}`), `${names.slice(-5)}`);
  }
  for (const writer of typing.writers) {
    assert.equal(writer.connections, 1, "nobody noticed");
    assert.equal(writer.refusals, 0);
  }
  t.diagnostic(`${await typing.endAndCheck(5_000)} edits acknowledged, all equal after ${typing.restMs} ms`);
});

async function drops(server) {
  const of = (reason) => counter(server, `weft_bus_dropped_total{reason="${reason}"}`);
  return { rejected: await of("rejected"), malformed: await of("malformed") };
}

test("a hello of the neighbouring protocol version", { timeout: 60_000 }, async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const newer = new TestSocket(server, id);
  const welcome = await newer.join({ versions: [1, 2] });
  assert.equal(welcome.version, 1, "the version that both know");
  // Kinds and fields of the future are passed over.
  newer.ws.send(Buffer.from([0x70, 1, 2, 3]));
  newer.ws.send(Buffer.concat([encodeHeartbeatReply(0), Buffer.from("more")]));
  await newer.next("heartbeat", 10_000);
  assert.equal(newer.ws.readyState, newer.ws.OPEN);
  newer.ws.terminate();

  const longer = await new TestSocket(server, id).opened();
  longer.ws.send(Buffer.concat([encodeHello({ client: longer.client, versions: [0, 9] }), Buffer.from("more")]));
  assert.equal((await longer.next("welcome")).version, 1);
  longer.ws.terminate();

  const onlyNewer = await new TestSocket(server, id).opened();
  onlyNewer.ws.send(encodeHello({ client: onlyNewer.client, versions: [2, 3] }));
  assert.equal((await onlyNewer.closed).code, Close.protocolVersion);
  assert.equal((await onlyNewer.next("refused")).code, "protocol_version");
});
