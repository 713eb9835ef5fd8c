// The REST API fuzzed from its own description: whatever is sent, no 5xx, no answer that is not described, and what
// nobody may touch stays as it is.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { api, faultOf } from "../../support-js/openapi.mjs";
import { binary, freshDirectory, Server } from "../../support-js/server.mjs";
import { Random, seedFor } from "../replay/histories.mjs";
import { Caller } from "./caller.mjs";
import { operationsOf, Requests } from "./requests.mjs";
import { Pool, Values } from "./values.mjs";

const total = Number(process.env.WEFT_FUZZ_REQUESTS ?? 3_000);

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function weftToken(...args) {
  const { status, stdout, stderr } = spawnSync(binary, ["token", ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** A guarded server, people of every role, and documents that none of them may change. */
class World {
  static async start(t) {
    const world = new World();
    const key = join(freshDirectory(t), "key");
    weftToken("--new-key", "es256", "--out", key);
    world.server = await Server.start(t, { args: ["--key", key] });
    const mint = (user, ...options) => weftToken("--key", key, "--user", user, ...options);
    world.people = ["ann", "ben", "cora", "vic", "zoe"];
    world.keeper = mint("keeper");
    world.tokens = new Map(world.people.map((user) => [user, mint(user)]));
    world.admin = mint("backend", "--program", "--admin");
    world.caller = new Caller(world.server);
    t.after(() => world.caller.close());
    world.quiet = [await world.document(world.keeper, "nobody's"), await world.document(world.keeper, "to read")];
    for (const user of world.people) await world.member(world.keeper, world.quiet[1], user, "viewer");
    return world;
  }

  async ask(token, method, path, body) {
    const answer = await this.caller.send(
      { method, path, headers: { "Content-Type": "application/json" }, body: Buffer.from(JSON.stringify(body)) }, token);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body);
  }
  async document(token, title) {
    const content = `${title}\nfirst line\nsecond line\n`;
    return (await this.ask(token, "POST", "/api/v1/documents", { title, content })).document_id;
  }
  member(token, id, user, role) {
    return this.ask(token, "PUT", `/api/v1/documents/${id}/members/${user}`, { role });
  }
  /** A document that everybody may work on, each in his role. */
  async shared() {
    const id = await this.document(this.tokens.get("ann"), "shared");
    for (const [user, role] of [["ben", "editor"], ["cora", "commenter"], ["vic", "viewer"]]) {
      await this.member(this.tokens.get("ann"), id, user, role);
    }
    return id;
  }
  async texts() {
    const texts = [];
    for (const id of this.quiet) {
      texts.push(await this.caller.send(
        { method: "GET", path: `/api/v1/documents/${id}/text`, headers: { Accept: "text/plain" } }, this.keeper));
    }
    return texts.map(({ status, body }) => `${status} ${body}`);
  }
}

/** Sends `count` requests of the described operations; gives what was wrong, and how often each status came. */
async function fuzz(world, described, random, count) {
  const pool = new Pool(random);
  const operations = operationsOf(described);
  const requests = new Requests(random, new Values(random, pool, described.components.schemas));
  const faults = [];
  const statuses = new Map(operations.map(({ name }) => [name, new Map()]));
  let fresh = "";
  for (let n = 0; n < count && faults.length < 10; ++n) {
    if (n % 20 === 0) pool.add("id", (fresh = await world.shared()));
    const who = random.pick([...world.tokens.keys(), "ann", "ben", "admin", "nobody", "forger"]);
    const token = { admin: world.admin, nobody: undefined, forger: "a.b.c" }[who] ?? world.tokens.get(who);
    // An admin may change everything: what must stay is asked of everybody else.
    const id = who !== "admin" && random.chance(0.1) ? random.pick(world.quiet)
      : random.chance(0.7) ? fresh : pool.any("id");
    const operation = operations[n % operations.length];
    const request = requests.make(operation, id);
    const line = `#${n} ${who}: ${request.method} ${request.path} ${(request.body ?? "").toString().slice(0, 200)}`;
    await sleep(2);  // slower than the limit on each caller's requests: they are to reach their routes
    try {
      const answer = await world.caller.send(request, token);
      const of = statuses.get(operation.name);
      of.set(answer.status, (of.get(answer.status) ?? 0) + 1);
      const path = request.path.split("?")[0];
      if (answer.status >= 500) faults.push(`${line}\n  ${answer.status} ${answer.body}`);
      const fault = faultOf(request.method, path, answer.status, answer.type, answer.body);
      // Where the id is none, or a name has a NUL, there is nothing, whatever the method.
      const nothing = request.method !== operation.method && answer.status === 404 &&
        (!uuid.test(path.split("/")[4] ?? "") || path.includes("%00"));
      if (fault !== "" && !nothing) faults.push(`${line}\n  ${fault}`);
      if (answer.etag) ["If-Match", "If-None-Match"].forEach((name) => pool.add(name, answer.etag));
      if (request.method !== "HEAD" && answer.status < 300 && /json/.test(answer.type) && !path.endsWith("openapi.json")) {
        const told = JSON.parse(answer.body);
        for (const kept of world.quiet) if (JSON.stringify(told).includes(kept)) told.document_id = null;
        pool.learn(who === "admin" ? {} : told);
      }
    } catch (error) {
      // What is far too large may be cut while it is still being sent.
      if ((request.body?.length ?? 0) <= 8 << 20) faults.push(`${line}\n  ${error.message}`);
    }
  }
  return { faults, statuses };
}

test("requests from the description are answered as described", { timeout: 150_000 }, async (t) => {
  const random = new Random(seedFor(t));
  const world = await World.start(t);
  const before = await world.texts();
  const described = await (await world.server.fetch("/openapi.json")).json();
  assert.deepEqual(Object.keys(described.paths).sort(), Object.keys(api.paths).sort(), "the judge's is the server's");
  const started = Date.now();
  const { faults, statuses } = await fuzz(world, described, random, total);
  t.diagnostic(`${total} requests in ${Date.now() - started} ms`);
  for (const [name, of] of statuses) {
    t.diagnostic(`${name}: ${[...of].sort(([a], [b]) => a - b).map(([status, times]) => `${status}×${times}`).join(" ")}`);
  }
  assert.equal(faults.length, 0, faults.join("\n"));
  assert.deepEqual(await world.texts(), before, "nobody may change these");
  assert.equal((await world.server.fetch("/healthz")).status, 200);
  assert.equal((await world.server.fetch("/readyz")).status, 200);
  // Broken requests alone would prove little: most routes must have done their work now and then.
  const worked = [...statuses.values()].filter((of) => [...of.keys()].some((status) => status < 300));
  assert.ok(worked.length >= statuses.size * 0.8, `${worked.length} of ${statuses.size} routes did something`);
  const answers = [...statuses.values()].flatMap((of) => [...of]);
  const limited = answers.filter(([status]) => status === 429).reduce((sum, [, times]) => sum + times, 0);
  assert.ok(limited < total / 3, `${limited} of ${total} were turned away before their route`);
});

test("the fuzzer reports a server that does not do what is described", { timeout: 60_000 }, async (t) => {
  const random = new Random(seedFor(t));
  const world = await World.start(t);
  const { get } = api.paths["/api/v1/me"];
  const { open, ...properties } = api.components.schemas.Caller.properties;
  const ok = get.responses[200];
  t.after(() => (get.responses[200] = ok));
  const only = { ...api, paths: { "/api/v1/me": { get } } };
  get.responses[200] = { content: { "application/json": { schema: { ...api.components.schemas.Caller, properties } } } };
  const { faults: fields } = await fuzz(world, only, random, 60);
  assert.ok(fields.some((fault) => /must NOT have additional properties/.test(fault)), "a field that is not described");
  delete get.responses[200];
  const { faults: statuses } = await fuzz(world, only, random, 60);
  assert.ok(statuses.some((fault) => /answers 200, which is not described/.test(fault)), "a status that is not");
});
