// Several servers on one PostgreSQL, and people who type on all of them: started, killed and looked at
// from outside.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { Typist } from "../../support-js/typist.mjs";
import { Random, seedFor } from "../replay/histories.mjs";
import { PostgresView, assertLogHolds, textOf } from "../kill/database.mjs";
import { Record, uniqueCharacters } from "../kill/record.mjs";
import { until } from "../kill/typing.mjs";
import { Writer } from "../kill/writer.mjs";

export class Cluster {
  servers = [];
  #t;
  #store;

  /** `args` and `env`: of every server, or functions of its number. `places`: what Server.start takes besides. */
  static async start(t, postgres, { count = 3, args = [], env = {}, places = [] } = {}) {
    const cluster = new Cluster();
    cluster.#t = t;
    cluster.postgres = postgres;
    const own = (given, i) => (typeof given === "function" ? given(i) : given);
    cluster.#store = (i) => ({
      database: postgres.url(), args: ["--replica-id", `replica-${i}`, ...own(args, i)], env: own(env, i), ...places[i],
    });
    for (let i = 0; i < count; ++i) cluster.servers.push(await Server.start(t, cluster.#store(i)));
    return cluster;
  }

  get hosts() {
    return this.servers.map((server) => server.host);
  }

  async stop(i, signal) {
    return this.servers[i].end(signal);
  }
  /** On the port that it had. */
  async startAgain(i) {
    this.servers[i] = await Server.start(this.#t, { ...this.#store(i), port: this.servers[i].port });
  }
}

/** Documents with writers spread over the servers; each writer moves to another one when it must. */
export class Typing {
  #over = false;

  constructor(t, cluster, ids, writersOfEach) {
    this.cluster = cluster;
    this.seed = seedFor(t);
    this.random = new Random(this.seed);
    this.subjects = ids.map((id) => {
      const record = new Record();
      const characters = uniqueCharacters();
      const writers = Array.from({ length: writersOfEach }, (_, i) => {
        const first = i % cluster.hosts.length;
        const hosts = [...cluster.hosts.slice(first), ...cluster.hosts.slice(0, first)];
        return new Writer({ hosts, id, record, random: this.random, characters });
      });
      return { id, record, writers };
    });
    this.writers = this.subjects.flatMap(({ writers }) => writers);
    t.after(() => this.writers.forEach((writer) => writer.stop()));
    t.after(() => (this.#over = true));
  }

  async begin() {
    this.running = this.writers.map((writer) => writer.run());
    await until("joining", () => this.writers.every((writer) => writer.joined));
    this.typing = this.#type();
  }
  async #type() {
    while (!this.#over) {
      for (const { writers } of this.subjects) this.random.pick(writers).type();
      await sleep(this.random.below(20));  // about a hundred pushes a second for each document
    }
  }

  /**
   * Nobody types any more; all is acknowledged, everybody and every server has the same, and it is what was
   * typed. How many edits were acknowledged. `restMs`: how long it took until all had the same.
   */
  async endAndCheck(withinMs = 20_000) {
    const start = Date.now();
    this.#over = true;
    await this.typing;
    const deadline = start + withinMs;
    for (; !this.#isAtRest(); await sleep(5)) {
      for (const writer of this.writers) if (writer.failure !== null) throw writer.failure;
      assert.ok(Date.now() < deadline, `seed ${this.seed}: not at rest within ${withinMs} ms: ${this.writers
        .map((w) => `${w.joined ? "joined" : "away"} ${w.pending}/${w.applied}`).join(", ")}`);
    }
    for (const { id } of this.subjects) await this.#shown(id, deadline);
    this.restMs = Date.now() - start;
    const view = new PostgresView(this.cluster.postgres);
    view.assertSound();
    let acknowledged = 0;
    for (const { id, record } of this.subjects) {
      const rows = view.rows(id);
      assertLogHolds(rows, record);
      const text = textOf(rows);
      assert.deepEqual([...text].sort(), record.promise().present.sort(), `seed ${this.seed}: all that was typed, once`);
      for (const server of this.cluster.servers) {
        assert.equal(await server.text(id), text, `seed ${this.seed}: what ${server.origin} shows`);
      }
      acknowledged += record.ackedCount;
    }
    this.writers.forEach((writer) => writer.stop());
    await Promise.all(this.running);
    return acknowledged;
  }

  #isAtRest() {
    if (!this.writers.every((writer) => writer.joined && writer.pending === 0)) return false;
    return this.subjects.every(({ writers }) => new Set(writers.map((writer) => writer.applied)).size === 1);
  }

  /** Every server shows the same. One that nobody is connected to may have to ask the database. */
  async #shown(id, deadline) {
    for (; ; await sleep(20)) {
      const texts = await Promise.all(this.cluster.servers.map((server) => server.text(id)));
      if (new Set(texts).size === 1) return;
      assert.ok(Date.now() < deadline, `seed ${this.seed}: servers show different texts: ${texts.map((text) => text.length)}`);
    }
  }
}

/** A counter of /metrics, or 0. */
export async function counter(server, name) {
  const text = await (await server.fetch("/metrics")).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
}

/** How long a keystroke takes to a session on each of the servers, in ms: [p50, p99] for each. */
async function propagation(typist, watchers, strokes, pauseMs) {
  const took = watchers.map(() => []);
  for (let i = 0; i < strokes; ++i) {
    const start = performance.now();
    typist.type("x");
    await Promise.all(watchers.map(async (watcher, at) => {
      await watcher.next("operations", 10_000);
      took[at].push(performance.now() - start);
    }));
    await sleep(pauseMs);
  }
  return took.map((times) => {
    times.sort((a, b) => a - b);
    return [times[Math.floor(times.length / 2)], times[Math.floor(times.length * 0.99)]];
  });
}

/** A keystroke's way to sessions on the same server and on another one: [p50, p99] in ms of each, also for people. */
export async function keystroke(t, [here, there], strokes, when = "") {
  const id = await here.create("measured");
  const socket = new TestSocket(here, id);
  const typist = new Typist(socket, await socket.join());
  const watchers = [new TestSocket(here, id), new TestSocket(there, id)];
  for (const watcher of watchers) await watcher.join();
  for (const each of [socket, ...watchers]) each.stay();
  const [same, other] = await propagation(typist, watchers, strokes, 10);
  const ms = (times) => times.map((time) => time.toFixed(2)).join(" / ");
  t.diagnostic(`${when}p50 / p99 in ms: same server ${ms(same)}, other server ${ms(other)}`);
  [socket, ...watchers].forEach(({ ws }) => ws.terminate());
  return { same, other };
}
