// A guarded server, people of every role, documents that none of them may change; and what becomes of a sequence of calls.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { binary, freshDirectory, Server } from "../../support-js/server.mjs";
import { requestOf } from "./calls.mjs";
import { Caller } from "./caller.mjs";
import { judge } from "./judge.mjs";
import { Pool } from "./values.mjs";

function weftToken(...args) {
  const { status, stdout, stderr } = spawnSync(binary, ["token", ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

export class World {
  /** How often each status came, by the name of the operation. */
  statuses = new Map();
  requests = 0;

  static async start(t) {
    const world = new World();
    const key = join(freshDirectory(t), "key");
    weftToken("--new-key", "es256", "--out", key);
    world.server = await Server.start(t, { args: ["--key", key] });
    const mint = (user, ...options) => weftToken("--key", key, "--user", user, ...options);
    world.keeper = mint("keeper");
    world.tokens = new Map(["ann", "ben", "cora", "vic", "zoe"].map((user) => [user, mint(user)]));
    world.tokens.set("admin", mint("backend", "--program", "--admin")).set("forger", "a.b.c");
    world.caller = new Caller(world.server);
    t.after(() => world.caller.close());
    world.quiet = [await world.document("keeper", "nobody's"), await world.document("keeper", "to read")];
    for (const user of ["ann", "ben", "cora", "vic", "zoe"]) await world.member("keeper", world.quiet[1], user, "viewer");
    world.before = await world.texts();
    return world;
  }

  token(who) {
    return who === "keeper" ? this.keeper : this.tokens.get(who);
  }
  /** For the scenery, which must work: after a wait where it was too often, or too early after the start. */
  async ask(who, method, path, body, accept = "*/*") {
    for (const deadline = Date.now() + 10_000; ; await sleep(100)) {
      const answer = await this.caller.send({
        method, path, headers: [["Content-Type", "application/json"], ["Accept", accept]], body: body && Buffer.from(JSON.stringify(body)),
      }, this.token(who));
      if ([429, 503].includes(answer.status) && Date.now() < deadline) continue;
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.body}`);
      return answer.body;
    }
  }
  async document(who, title) {
    const content = `${title}\nfirst line\nsecond line\n`;
    return JSON.parse(await this.ask(who, "POST", "/api/v1/documents", { title, content })).document_id;
  }
  member(who, id, user, role) {
    return this.ask(who, "PUT", `/api/v1/documents/${id}/members/${user}`, { role });
  }
  /** A document that everybody may work on, each in his role. */
  async shared() {
    const id = await this.document("ann", "shared");
    for (const [user, role] of [["ben", "editor"], ["cora", "commenter"], ["vic", "viewer"]]) await this.member("ann", id, user, role);
    return id;
  }
  texts() {
    return Promise.all(this.quiet.map((id) => this.ask("keeper", "GET", `/api/v1/documents/${id}/text`, undefined, "text/plain")));
  }

  /** Makes the calls, one after the other, about a document of their own. Throws what was wrong, with all that was sent. */
  async play(calls) {
    const pool = new Pool(this.quiet);
    const fresh = await this.shared();
    pool.add("id", fresh);
    const sent = [];
    for (const call of calls) {
      const fault = await this.#make(call, pool, fresh, sent);
      if (fault) throw new Error(`${sent.join("\n")}\n    ✗ ${fault}`);
    }
    assert.deepEqual(await this.texts(), this.before, `nobody may change these:\n${sent.join("\n")}`);
  }

  async #make(call, pool, fresh, sent) {
    // An admin may change everything: what must stay is asked of everybody else.
    const [first, second] = call.who === "admin" ? [fresh, fresh] : this.quiet;
    const request = requestOf(call, pool, { fresh, "quiet 0": first, "quiet 1": second });
    const token = call.who === "minted" ? pool.at("token", 0, "string") ?? "a.b.c" : this.token(call.who);
    sent.push(shown(call.who, request));
    await sleep(2);  // slower than the limit on each caller's requests: they are to reach their routes
    let answer;
    try {
      answer = await this.caller.send(request, token);
    } catch (error) {
      // What is far too large may be cut while it is still being sent.
      return (request.body?.length ?? 0) > 8 << 20 ? "" : error.message;
    }
    sent[sent.length - 1] += ` → ${answer.status}`;
    this.#count(call.name, answer.status);
    try {
      const fault = judge(request, call.name.split(" ")[0], answer);
      if (fault) return fault;
      if (answer.headers.etag) ["If-Match", "If-None-Match"].forEach((name) => pool.add(name, answer.headers.etag));
      const told = answer.status < 300 && /json/.test(answer.headers["content-type"] ?? "") && answer.body && JSON.parse(answer.body);
      if (told && !("openapi" in told)) pool.learn(told);
      if (answer.status < 300) learnSent(pool, request);
    } catch (error) {
      return `${error.message}\n${answer.body.slice(0, 500)}`;
    }
    return "";
  }

  #count(name, status) {
    this.requests += 1;
    const of = this.statuses.get(name) ?? new Map();
    this.statuses.set(name, of.set(status, (of.get(status) ?? 0) + 1));
  }
}

/** What worked once is worth sending again: an Idempotency-Key, a client's id, a name. */
function learnSent(pool, { headers, body }) {
  for (const [name, value] of headers) if (name === "Idempotency-Key") pool.add(name, value);
  try {
    pool.learn(JSON.parse(body));
  } catch {
    // plain text, or none
  }
}

const short = (text, most) => text.length > most ? `${text.slice(0, most)}… (${text.length} in all)` : text;

function shown(who, { method, path, headers, body, chunked }) {
  const head = short(headers.map(([name, value]) => `${name}: ${short(value, 80)}`).join(", "), 300);
  const bytes = body ? ` ${chunked ? "in chunks " : ""}${short(JSON.stringify(body.toString()), 300)}` : "";
  return `    ${who}: ${method} ${short(path, 300)} {${head}}${bytes}`;
}
