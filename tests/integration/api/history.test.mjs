// Looking back and going back, over HTTP: old texts, versions and their names, differences, blame, what
// each row did, restoring. On both databases.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Postgres } from "../../support-js/postgres.mjs";
import { assertProblem, freshDirectory, Server } from "../../support-js/server.mjs";
import { Crowd } from "../keeping/crowd.mjs";

const json = { "Content-Type": "application/json" };

for (const kind of ["SQLite", "PostgreSQL"]) {
  test(`history on ${kind}`, async (t) => {
    const database = kind === "PostgreSQL" ? (await Postgres.start(t)).url() : undefined;
    const server = await Server.start(t, { database });
    const first = "one\ntwo\nthree\n";
    const id = await server.create("remembered", first);
    const path = `/api/v1/documents/${id}`;
    const get = (suffix, headers = {}) => server.fetch(path + suffix, { headers });
    const post = (suffix, body) =>
      server.fetch(path + suffix, { method: "POST", headers: json, body: JSON.stringify(body) });
    const textAt = async (at) => (await get(`/text?at=${encodeURIComponent(at)}`, { Accept: "text/plain" })).text();

    await sleep(30);
    const before = new Date().toISOString();
    await sleep(30);
    const crowd = new Crowd(t, server, id, { index: 1, sum: [...first].length });
    await crowd.joined();
    await crowd.type(400);
    await crowd.settle();
    const { version: last } = await (await get("")).json();
    const final = await server.text(id);
    assert.ok(last > 10);

    // Any version, by index and by time.
    assert.equal(await textAt(0), "");
    assert.equal(await textAt(1), first);
    assert.equal(await textAt(before), first);
    assert.equal(await textAt(last), final);
    const asJson = await (await get("/text?at=1")).json();
    assert.deepEqual([asJson.version, asJson.newest_version, asJson.text], [1, last, first]);
    await assertProblem(await get(`/text?at=${last + 1}`), 400, "index_out_of_range");
    await assertProblem(await get("/text?at=yesterday"), 400, "bad_version");
    await assertProblem(await get("/text?when=1"), 400, "unknown_parameter");

    // What each row did leads from one version to the other.
    let text = first;
    for (let from = 1; from !== null;) {
      const page = await (await get(`/patches?from=${from}`)).json();
      assert.equal(page.from, from);
      for (const row of page.rows) {
        for (const { at, erased, inserted } of row.changes) {
          const characters = [...text];
          characters.splice(at, erased, inserted);
          text = characters.join("");
        }
        if (row.version % 7 === 0) assert.equal(await textAt(row.version), text);
      }
      from = page.next_from;
    }
    assert.equal(text, final);

    // Blame covers the text without gaps.
    const { version, ranges } = await (await get("/blame")).json();
    assert.equal(version, last);
    assert.equal(ranges.reduce((sum, range) => sum + range.length, 0), [...final].length);
    ranges.reduce((at, range) => (assert.equal(range.at, at), at + range.length), 0);
    assert.ok(new Set(ranges.map((range) => range.sid)).size > 1, "several people wrote it");
    assert.deepEqual((await (await get("/blame?at=1")).json()).ranges.map((range) => [range.at, range.length, range.version]),
      [[0, [...first].length, 1]]);

    // patch(1) makes the new text of the old one.
    const diff = await get(`/diff?from=1&to=${last}`);
    assert.match(diff.headers.get("content-type"), /^text\/x-diff/);
    const folder = freshDirectory(t);
    writeFileSync(join(folder, "text"), first);
    writeFileSync(join(folder, "diff"), await diff.text());
    execFileSync("patch", ["-s", "-u", join(folder, "text"), join(folder, "diff")]);
    assert.equal(readFileSync(join(folder, "text"), "utf8"), final);
    assert.equal(await (await get("/diff?from=1&to=1")).text(), "");
    await assertProblem(await get("/diff"), 400, "bad_version");

    // Versions, named and not.
    assert.equal((await post("/versions", { name: "begun ü+1", version: 1 })).status, 201);
    assert.equal((await post("/versions", { name: "now" })).status, 201);
    assert.equal((await post("/versions", { name: "now", version: last })).status, 201, "again: no harm");
    await assertProblem(await post("/versions", { name: "now", version: 1 }), 409, "version_exists");
    await assertProblem(await post("/versions", { name: " " }), 400, "bad_version_name");
    await assertProblem(await post("/versions", { name: "x", version: last + 1 }), 400, "index_out_of_range");
    const { sessions, named, next_cursor: next } = await (await get("/versions")).json();
    assert.deepEqual(named.map(({ name, version }) => [name, version]), [["begun ü+1", 1], ["now", last]]);
    assert.equal(next, null);
    assert.equal(sessions.length, 1);
    assert.deepEqual([sessions[0].first_version, sessions[0].last_version], [1, last]);
    assert.ok(sessions[0].sids.length >= 3 && sessions[0].inserted >= [...final].length);
    const remove = (name) => server.fetch(`${path}/versions/${encodeURIComponent(name)}`, { method: "DELETE" });
    assert.equal((await remove("begun ü+1")).status, 204);
    await assertProblem(await remove("begun ü+1"), 404, "version_not_found");
    await assertProblem(await get("/versions?limit=0"), 400, "bad_limit");
    await assertProblem(await get("/versions?cursor=x"), 400, "bad_cursor");

    // Restoring is an edit: people who are there see it, and nothing is erased from the history.
    const restored = await post("/restore", { version: 1 });
    assert.equal(restored.status, 200);
    const { version: now } = await restored.json();
    assert.ok(now > last);
    assert.equal(await server.text(id), first);
    assert.equal(await textAt(last), final);
    for (const end = Date.now() + 20_000; crowd.writers.some((writer) => writer.applied < now); await sleep(5)) {
      assert.ok(Date.now() < end, "the open sessions hear of it");
    }
    await crowd.type(150);
    await crowd.settle();
    await crowd.stop();
    assert.equal((await post("/restore", { version: "2000-01-01T00:00:00Z" })).status, 200);
    assert.equal(await server.text(id), "");
    assert.equal((await post("/restore", { version: last })).status, 200);
    assert.equal(await server.text(id), final);
    await assertProblem(await post("/restore", {}), 400, "missing_field");
    await assertProblem(await post("/restore", { version: 10 ** 9 }), 400, "index_out_of_range");
    await assertProblem(await server.fetch(`${path}/restore`), 405, "method_not_allowed");

    await server.fetch(path, { method: "DELETE" });
    await assertProblem(await get("/text?at=1"), 410, "document_deleted");
    await assertProblem(await get("/versions"), 410, "document_deleted");
    await assertProblem(await post("/restore", { version: 1 }), 410, "document_deleted");
    assert.equal((await server.end()).code, 0);
  });
}
