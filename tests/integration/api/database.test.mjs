// PostgreSQL as the place of the documents: how it is chosen, what is refused, and `weft migrate`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Postgres } from "../../support-js/postgres.mjs";
import { freshDirectory, runWeft, Server } from "../../support-js/server.mjs";

/** Nothing of the surroundings chooses for the test. */
const bare = { DATABASE_URL: "", DB_HOST: "", DB_PORT: "", DB_USER: "", DB_PSW: "", DB_NAME: "" };

test("a document lives on in PostgreSQL", async (t) => {
  const postgres = await Postgres.start(t);
  const database = postgres.url();
  let server = await Server.start(t, { database });
  const id = await server.create("kept", "in PostgreSQL 😀\n");
  assert.equal((await server.end()).code, 0);
  assert.deepEqual(
    postgres.query(`SELECT log_index, value, operation_id FROM operations WHERE document_id = '${id}'`)
      .map(({ log_index, value }) => [log_index, value]),
    [[1, "in PostgreSQL 😀\n"]],
  );
  server = await Server.start(t, { database });
  assert.equal(await server.text(id), "in PostgreSQL 😀\n");
  const removed = await server.fetch(`/api/v1/documents/${id}`, { method: "DELETE" });
  assert.equal(removed.status, 204);
});

test("the database comes from the command line or the environment, and is migrated or refused", async (t) => {
  const postgres = await Postgres.start(t);
  const directory = freshDirectory(t);
  const url = postgres.url();
  const host = new URLSearchParams(url.split("?")[1]).get("host");
  const parts = { ...bare, DB_HOST: host, DB_USER: "weft", DB_PSW: "s3cr3t", DB_NAME: "postgres" };

  for (const [args, env] of [
    [["--database-url", url], bare],
    [[], { ...bare, DATABASE_URL: url }],
    [[], parts],
  ]) {
    const check = await runWeft(["migrate", "--check", ...args], { env });
    assert.equal(check.code, 1, check.stderr);
    assert.match(check.stdout, /schema version 0, to be migrated to \d+\n$/);
    assert.doesNotMatch(check.stdout + check.stderr, /s3cr3t/);
  }
  assert.deepEqual(postgres.query("SELECT count(*) AS tables FROM pg_tables WHERE schemaname = 'public'"),
    [{ tables: 0 }], "--check changes nothing");
  const migrated = await runWeft(["migrate"], { env: parts });
  assert.equal(migrated.code, 0, migrated.stderr);
  assert.match(migrated.stdout, /migrated from 0\n$/);
  const again = await runWeft(["migrate", "--check"], { env: { ...bare, DATABASE_URL: url } });
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /nothing to do\n$/);

  // A directory that is asked for is not overruled by the environment.
  const sqlite = await runWeft(["migrate", "--check", "--data", directory], { env: parts });
  assert.equal(sqlite.code, 1);
  assert.ok(sqlite.stdout.startsWith(directory), sqlite.stdout);
  assert.equal((await runWeft(["migrate", "--data", directory], { env: bare })).code, 0);
  assert.equal((await runWeft(["migrate", "--check", "--data", directory], { env: bare })).code, 0);

  const refusals = [
    [["--data", directory, "--database-url", url], 2, /not both/],
    [["--database-url", "mysql://me:s3cr3t@h/d"], 2, /malformed/],
    [["--database-url", "postgresql://me:s3cr3t@127.0.0.1:1/d"], 8, /no connection to the database.*refused/i],
    [["--database-url", "postgresql://me:s3cr3t@127.0.0.1:99999/d"], 2, /port is a number/],
    [["--database-url", postgres.url("nothing_here")], 8, /nothing_here/],
  ];
  for (const [args, code, message] of refusals) {
    for (const command of [["serve", "--listen", "127.0.0.1:0"], ["migrate"]]) {
      const result = await runWeft([...command, ...args], { env: bare });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, message);
      assert.doesNotMatch(result.stderr, /s3cr3t/);
      assert.equal(result.stdout, "");
    }
  }
});

test("a database that does not keep what it commits is refused", async (t) => {
  const postgres = await Postgres.start(t, { options: ["-c", "fsync=off"] });
  const result = await runWeft(["serve", "--listen", "127.0.0.1:0", "--database-url", postgres.url()]);
  assert.equal(result.code, 8, result.stderr);
  assert.match(result.stderr, /fsync and synchronous_commit must be on/);
});
