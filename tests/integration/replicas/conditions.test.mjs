// What requests change on one server while others change it elsewhere: conditions hold over all of them, nothing that
// was acknowledged goes without effect, and purges leave a sound log.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Postgres } from "../../support-js/postgres.mjs";
import { freshDirectory, runWeft } from "../../support-js/server.mjs";
import { Cluster } from "./cluster.mjs";

const json = { "Content-Type": "application/json" };

function write(server, id, method, body, headers = {}) {
  return server.fetch(`/api/v1/documents/${id}/text`, { method, headers: { ...json, ...headers }, body: JSON.stringify(body) });
}

async function statuses(answers) {
  return (await Promise.all(answers)).map((answer) => answer.status).sort();
}

test("of two requests with one If-Match on two servers one is carried out", { timeout: 60_000 }, async (t) => {
  const cluster = await Cluster.start(t, await Postgres.start(t), { count: 2 });
  const [here, there] = cluster.servers;
  for (let round = 0; round < 30; ++round) {
    const id = await here.create("condition", "x");
    assert.equal(await there.text(id), "x");
    const put = (server, text) => write(server, id, "PUT", { text }, { "If-Match": '"1"' });
    assert.deepEqual(await statuses([put(here, "from here"), put(there, "from there")]), [200, 412], `round ${round}`);
    const text = await here.text(id);
    assert.ok(text === "from here" || text === "from there", text);
  }
});

test("a server that hears nothing still judges by the whole log", { timeout: 60_000 }, async (t) => {
  const cluster = await Cluster.start(t, await Postgres.start(t), { count: 2, args: ["--bus", "none"] });
  const [here, there] = cluster.servers;
  for (let round = 0; round < 10; ++round) {
    const id = await here.create("late", "one");
    assert.equal(await there.text(id), "one");
    const first = await write(here, id, "PUT", { text: "two" });
    assert.equal(first.status, 200);
    const stale = await write(there, id, "PUT", { text: "three" }, { "If-Match": '"1"' });
    assert.equal(stale.status, 412);
    assert.equal(stale.headers.get("etag"), first.headers.get("etag"));
    // To it, nothing is to be done: it has not heard that it is.
    const back = await (await write(here, id, "PUT", { text: "three" })).json();
    const undone = await write(there, id, "PUT", { text: "two" }, { "If-Match": `"${back.version}"` });
    assert.equal(undone.status, 200);
    assert.equal(await there.text(id), "two");
    const counted = await write(here, id, "PATCH", { edits: [{ find: "two", replace: "2 2", expect: 1 }] });
    assert.equal(counted.status, 200);
    const again = await write(there, id, "PATCH", { edits: [{ find: "two", replace: "2", expect: 1 }] });
    assert.equal(again.status, 422);
    const restored = await there.fetch(`/api/v1/documents/${id}/restore`, {
      method: "POST", headers: json, body: JSON.stringify({ version: back.before_version }),
    });
    assert.equal(restored.status, 200);
    assert.equal(await there.text(id), "two");
  }
});

test("purges of two servers leave a log that fsck finds sound and export reads", { timeout: 90_000 }, async (t) => {
  const postgres = await Postgres.start(t);
  const cluster = await Cluster.start(t, postgres, { count: 2, args: ["--purge-after", "1s"] });
  const id = await cluster.servers[0].create("purged", "x".repeat(3000) + "end\n");
  assert.match(await cluster.servers[1].text(id), /end\n$/);
  const refused = {};
  const note = async (answer) => {
    if (answer.status === 200) return;
    const { code } = await answer.json();
    refused[code] = (refused[code] ?? 0) + 1;
  };
  const kept = [];
  let going = true;
  // Several at once, so that rows are nearly always on their way when a purge is planned.
  const typing = [0, 1, 0, 1, 0, 1].map(async (at, i) => {
    const server = cluster.servers[at];
    for (let n = 0; going; ++n) {
      const mark = `<${i}.${n}>`;
      const answer = await write(server, id, "PATCH", { edits: [{ at: 0, insert: mark }] });
      if (answer.status === 200) kept.push(mark);
      await note(answer);
    }
  });
  const deleting = cluster.servers.map(async (server) => {
    for (; going; await sleep(150)) {
      await note(await write(server, id, "PATCH", { edits: [{ find: "end\n", replace: `${"y".repeat(1500)}end\n` }] }));
      await note(await write(server, id, "PATCH", { edits: [{ find: "y", replace: "", all: true }] }));
    }
  });
  await sleep(15_000);
  going = false;
  await Promise.all([...typing, ...deleting]);
  await sleep(2_500);
  const texts = await Promise.all(cluster.servers.map((server) => server.text(id)));
  assert.equal(texts[0], texts[1]);
  for (const mark of kept) assert.ok(texts[0].includes(mark), mark);
  const purges = postgres.query("SELECT count(*) AS n FROM operations WHERE kind = 4")[0].n;
  t.diagnostic(`${purges} purge rows, ${kept.length} edits; refused: ${JSON.stringify(refused)}`);
  assert.ok(Number(purges) > 0);
  for (const i of [0, 1]) await cluster.stop(i, "SIGTERM");
  const checked = await runWeft(["fsck", "--database-url", postgres.url()]);
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  const file = join(freshDirectory(t), "purged.weft");
  const exported = await runWeft(["export", "--database-url", postgres.url(), id, "-o", file]);
  assert.equal(exported.code, 0, exported.stderr);
});
