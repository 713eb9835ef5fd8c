// The line with the URL promises that the server can be called. With keys it cannot be until it knows which
// tokens were revoked; here the database takes its time to tell.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Postgres } from "../../support-js/postgres.mjs";
import { assertProblem, binary, Server } from "../../support-js/server.mjs";
import { freshKey } from "../../support-js/tokens.mjs";

const notReady = "access_not_ready";

/** A database of a server with a key, and how long it takes from now on to tell what has changed about access. */
async function prepare(t) {
  const { key, mint } = freshKey(t);
  const postgres = await Postgres.start(t);
  const first = await Server.start(t, { database: postgres.url(), args: ["--key", key] });
  await first.end();
  postgres.exec(`
    ALTER TABLE access_changes RENAME TO kept;
    CREATE TABLE pause (seconds float);
    INSERT INTO pause VALUES (0);
    CREATE FUNCTION slowly() RETURNS SETOF kept LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(seconds) FROM pause; RETURN QUERY SELECT * FROM kept; END';
    CREATE VIEW access_changes AS SELECT * FROM slowly();
    CREATE RULE sweep AS ON DELETE TO access_changes DO INSTEAD NOTHING;
    CREATE RULE note AS ON INSERT TO access_changes DO INSTEAD NOTHING;`);
  return {
    database: postgres.url(),
    args: ["--key", key],
    port: first.port,
    origin: first.origin,
    admin: mint("root", "--admin"),
    pause: (seconds) => postgres.exec(`UPDATE pause SET seconds = ${seconds}`),
  };
}

const me = (origin, token) => fetch(`${origin}/api/v1/me`, { headers: { Authorization: `Bearer ${token}` } });

/** The first answer of what may not listen yet. */
async function answer(origin, path) {
  for (const deadline = Date.now() + 10_000; ; await sleep(5)) {
    try {
      return await fetch(origin + path);
    } catch {
      assert.ok(Date.now() < deadline, "it listens");
    }
  }
}

test("the URL is told when the server knows which tokens were revoked, and /readyz is 503 until then", async (t) => {
  const { admin, origin, pause, ...options } = await prepare(t);
  pause(2);
  const begin = Date.now();
  const starting = Server.start(t, options);
  await assertProblem(await answer(origin, "/readyz"), 503, notReady);
  await assertProblem(await me(origin, admin), 503, notReady);
  assert.equal((await fetch(`${origin}/healthz`)).status, 200, "it lives");
  const server = await starting;
  const took = Date.now() - begin;
  assert.ok(took >= 2_000 && took < 8_000, `${took} ms`);
  assert.equal((await me(origin, admin)).status, 200, "the first call after the line");
  assert.equal((await fetch(`${origin}/readyz`)).status, 200);
  assert.doesNotMatch(server.stderr, /not_ready/);
});

test("a database that does not tell is waited for ten seconds, and then by the server that has said where it is",
  { timeout: 60_000 }, async (t) => {
    const { admin, origin, pause, ...options } = await prepare(t);
    pause(13);
    const begin = Date.now();
    const server = await Server.start(t, options);
    const took = Date.now() - begin;
    assert.ok(took >= 10_000 && took < 13_000, `${took} ms`);
    assert.match(server.stderr, /not_ready/);
    await assertProblem(await fetch(`${origin}/readyz`), 503, notReady);
    await assertProblem(await me(origin, admin), 503, notReady);
    for (const deadline = Date.now() + 10_000; (await fetch(`${origin}/readyz`)).status !== 200; await sleep(50)) {
      assert.ok(Date.now() < deadline, "it gets ready by itself");
    }
    assert.equal((await me(origin, admin)).status, 200);
  });

test("a signal in the meantime ends it in order, without a URL", async (t) => {
  const { origin, pause, database, args, port } = await prepare(t);
  pause(3);
  const child = spawn(binary, ["serve", "--database-url", database, "--listen", `127.0.0.1:${port}`, ...args],
    { stdio: ["ignore", "pipe", "ignore"] });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (text) => (said += text));
  await assertProblem(await answer(origin, "/readyz"), 503, notReady);
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "close"), [0, null]);
  assert.equal(said, "");
});
