// Whole lives of clients against a strict server in memory, in virtual time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../src/connection.js";
import type { ConnectionOptions } from "../src/connection_types.js";
import { EditOutcome, type Core } from "../src/core.js";
import { CloseCode } from "../src/protocol.js";
import { SessionStore, type Rescue, type StoredSession } from "../src/store.js";
import { FakeServer } from "./fake_server.js";
import { Rng, loadCore, randomGap, randomRange, randomText, seedFor } from "./support.js";
import { VirtualTime } from "./virtual_time.js";

class World {
  readonly core: Core;
  readonly time = new VirtualTime();
  readonly server: FakeServer;
  readonly rng: Rng;
  #clients = 0;

  constructor(core: Core, seed: number) {
    this.core = core;
    this.server = new FakeServer(core, this.time, seed + 1);
    this.rng = new Rng(seed);
  }
  client(restored: StoredSession | null = null, more: Partial<ConnectionOptions> = {}): Connection {
    const connection = new Connection({
      core: this.core,
      url: "ws://test/ws",
      restored,
      ports: {
        timers: this.time,
        openSocket: (url, events) => this.server.open(url, events),
        random: () => this.rng.next(),
        newClientId: () => `00000000-0000-4000-9000-${String(++this.#clients).padStart(12, "0")}`,
      },
      ...more,
    });
    connection.start();
    return connection;
  }
  async settle(ms = 20_000): Promise<void> {
    await this.time.advance(ms);
  }
}

async function world(name: string): Promise<World> {
  return new World(await loadCore(), seedFor(name));
}

function mirror(connection: Connection): { text: string } {
  const shown = { text: "" };
  connection.on("document", (document) => {
    if (document !== null) shown.text = document.text();
  });
  connection.on("patches", (patches) => {
    for (const { at, erased, inserted } of patches) {
      shown.text = shown.text.slice(0, at) + inserted + shown.text.slice(at + erased);
    }
  });
  return shown;
}

function edit(rng: Rng, connection: Connection, shown: { text: string }): void {
  const { text } = shown;
  if (rng.chance(0.35)) {
    const [from, to] = randomRange(rng, text, 8);
    assert.equal(connection.erase(from, to - from), 0);
    shown.text = text.slice(0, from) + text.slice(to);
    return;
  }
  const at = randomGap(rng, text);
  const inserted = randomText(rng);
  assert.equal(connection.insert(at, inserted), 0);
  shown.text = text.slice(0, at) + inserted + text.slice(at);
}

test("clients converge through drops, kills, reloads and snapshots, each edit exactly once", async () => {
  for (let round = 0; round < 12; ++round) {
    const w = await world(`life ${round}`);
    w.server.maxDelayMs = [5, 30, 300][round % 3]!;
    const clients = [w.client(), w.client(), w.client()];
    let shown = clients.map(mirror);
    await w.settle();
    for (let step = 0; step < 400; ++step) {
      const i = w.rng.below(clients.length);
      const connection = clients[i]!;
      if (connection.editable) edit(w.rng, connection, shown[i]!);
      if (connection.document !== null) {
        assert.equal(connection.document.length, shown[i]!.text.length);
      }
      if (w.rng.chance(0.4)) await w.time.advance(w.rng.below(40));
      if (w.rng.chance(0.02)) w.server.takeSnapshot();
      if (w.rng.chance(0.02)) w.rng.pick([...w.server.sessions, null])?.drop(1006, "cable");
      if (w.rng.chance(0.01)) {
        w.server.kill();
        for (let k = 0; k < 3; ++k) {
          if (connection.editable) edit(w.rng, connection, shown[i]!);
          await w.time.advance(w.rng.below(400));
        }
        w.server.restart();
      }
      if (w.rng.chance(0.01)) {
        const stored = connection.handOver();  // a reload of the page, at any moment
        connection.close();
        clients[i] = w.client(stored);
        shown[i] = mirror(clients[i]!);
      }
      for (const session of w.server.sessions) {
        if (session.welcomed && w.rng.chance(0.02)) session.heartbeat();
      }
    }
    await w.settle(60_000);
    for (const [i, connection] of clients.entries()) {
      assert.equal(connection.state.kind, "live");
      assert.equal(connection.unsaved, 0);
      assert.equal(shown[i]!.text, w.server.document.text());
      assert.equal(connection.document?.stateHash(), w.server.document.stateHash());
      assert.equal(connection.lastSeq, w.server.seqOf(connection.site));
    }
    for (const connection of clients) connection.close();
  }
});

test("unsaved counts what is not durable, and comes back to 0", async () => {
  const w = await world("unsaved");
  const connection = w.client();
  const said: number[] = [];
  connection.on("unsaved", (n) => said.push(n));
  await w.settle();
  connection.insert(0, "abc");
  assert.equal(connection.unsaved, 3);
  w.server.kill();
  connection.erase(0, 1);
  await w.time.advance(3_000);
  assert.equal(connection.unsaved, 4);
  assert.equal(connection.state.kind, "waiting");
  w.server.restart();
  await w.settle();
  assert.equal(connection.unsaved, 0);
  assert.equal(w.server.document.text(), "bc");
  assert.deepEqual([said[0], said.at(-1)], [3, 0]);
});

test("edits of one task travel as one push, remote rows split the base", async () => {
  const w = await world("batching");
  const connection = w.client();
  await w.settle();
  for (let i = 0; i < 100; ++i) connection.insert(i, "x");
  await w.settle();
  assert.equal(w.server.frames.length, 1);
});

test("a paste over the message limit and a huge deletion are split", async () => {
  const w = await world("large");
  const connection = w.client();
  const other = w.client();
  await w.settle();
  const text = "0123456789abcde😀".repeat(150_000);
  connection.insert(0, text);
  await w.settle();
  assert.equal(connection.unsaved, 0);
  assert.ok(w.server.frames.length >= 3);
  assert.equal(other.document?.text(), text);
  other.erase(3, text.length - 6);
  await w.settle();
  assert.equal(connection.document?.text(), text.slice(0, 3) + text.slice(-3));
});

test("a conflict never loses text silently: it comes back as a rescue, under a new client id", async () => {
  const w = await world("conflict");
  const connection = w.client();
  const rescues: Rescue[] = [];
  connection.on("rescue", (rescue) => rescues.push(rescue));
  await w.settle();
  connection.insert(0, "kept ");
  await w.settle();
  const client = connection.client;
  w.server.kill();
  connection.insert(5, "my unsaved ");
  connection.insert(16, "words");
  w.server.restart();
  w.server.rebuild();
  await w.settle();
  assert.equal(connection.state.kind, "live");
  assert.notEqual(connection.client, client);
  assert.equal(rescues.length, 1);
  assert.equal(rescues[0]!.text, "kept my unsaved words");
  assert.equal(rescues[0]!.edits, 16);
  assert.deepEqual(rescues[0]!.inserted, ["my unsaved words"]);
  assert.equal(connection.document?.text(), "kept ");
  connection.insert(0, "again ");
  await w.settle();
  assert.equal(w.server.document.text(), "again kept ");
  assert.equal(connection.unsaved, 0);
});

test("a reloaded page whose document was rebuilt gets its edits back as a rescue", async () => {
  const w = await world("stale reload");
  const first = w.client();
  await w.settle();
  w.server.kill();
  first.insert(0, "written offline");
  const stored = first.handOver();
  first.close();
  w.server.restart();
  w.server.rebuild();
  const second = w.client(stored);
  const rescues: Rescue[] = [];
  second.on("rescue", (rescue) => rescues.push(rescue));
  await w.settle();
  assert.equal(second.state.kind, "live");
  assert.deepEqual(rescues.map((r) => [r.text, r.inserted]), [[null, ["written offline"]]]);
});

test("a divergence is noticed by the hash and mended from the server", async () => {
  const w = await world("divergence");
  const connection = w.client();
  const reports: string[] = [];
  connection.on("diverged", (why) => reports.push(why));
  await w.settle();
  connection.insert(0, "abc");
  await w.settle();
  assert.equal(reports.length, 0);
  w.server.lieAboutHash = true;
  for (const session of w.server.sessions) session.heartbeat();
  await w.time.advance(100);
  assert.equal(reports.length, 1);
  w.server.lieAboutHash = false;
  await w.settle();
  assert.equal(connection.state.kind, "live");
  assert.equal(connection.document?.text(), "abc");
});

test("a silent server is left, and found again", async () => {
  const w = await world("silence");
  const connection = w.client();
  await w.settle();
  w.server.muted = true;
  await w.time.advance(25_000);
  assert.notEqual(connection.state.kind, "live");
  w.server.muted = false;
  await w.settle();
  assert.equal(connection.state.kind, "live");
});

test("a connection that does not open is tried anew", async () => {
  const w = await world("dark");
  w.server.dark = true;
  const connection = w.client();
  const state = () => connection.state.kind;
  await w.time.advance(4_900);
  assert.equal(state(), "connecting");
  await w.time.advance(100);
  assert.equal(state(), "waiting");
  w.server.dark = false;
  await w.time.advance(1_000);
  assert.equal(state(), "live");
});

test("delays grow with jitter from 0.2 s to 5 s", async () => {
  const w = await world("backoff");
  w.server.kill();
  const connection = w.client();
  const delays: number[] = [];
  connection.on("state", (state) => {
    if (state.kind === "waiting") delays.push(state.delayMs);
  });
  await w.time.advance(60_000);
  for (const [i, delay] of delays.entries()) {
    const most = Math.min(5_000, 200 * 2 ** i);
    assert.ok(delay <= most && delay >= most / 2, `attempt ${i} after ${delay} ms`);
  }
  assert.ok(delays.length > 10);
  connection.close();
});

test("tokens are asked for anew when refused, and not for ever", async () => {
  const w = await world("token");
  w.server.refuseWith = { code: CloseCode.unauthorized, name: "bad_token" };
  const asked: string[] = [];
  const connection = w.client(null, {
    token: async (why) => {
      asked.push(why);
      return `token ${asked.length}`;
    },
  });
  await w.time.advance(400);
  w.server.refuseWith = null;
  await w.settle();
  assert.equal(connection.state.kind, "live");
  assert.equal(asked[0], "connect");
  assert.equal(asked[1], "refused");
  assert.equal(w.server.tokens[0], "token 1");
  w.server.refuseWith = { code: CloseCode.unauthorized, name: "bad_token" };
  w.server.dropAll(1006);
  await w.time.advance(60_000);
  assert.equal(connection.state.kind, "closed");
});

test("a deleted document ends the connection and gives unsaved text back", async () => {
  const w = await world("deleted");
  const connection = w.client();
  const rescues: Rescue[] = [];
  connection.on("rescue", (rescue) => rescues.push(rescue));
  await w.settle();
  connection.insert(0, "unsaved");
  w.server.dropAll(CloseCode.notFound, "deleted");
  await w.settle();
  assert.deepEqual([connection.state.kind, connection.editable], ["closed", false]);
  assert.equal(rescues[0]?.text, "unsaved");
  assert.notEqual(connection.insert(0, "x"), 0);
});

test("a newer session with the same client id: the older one comes back as another client", async () => {
  const w = await world("replaced");
  const first = w.client();
  await w.settle();
  const second = w.client(first.handOver());
  await w.settle();
  assert.equal(first.state.kind, "live");
  assert.equal(second.state.kind, "live");
  assert.notEqual(first.client, second.client);
  assert.notEqual(first.site, second.site);
});

test("a record is claimed once, so a copy of the tab is another client", () => {
  const data = new Map<string, string>();
  const storage = {
    getItem: (key: string) => data.get(key) ?? null,
    setItem: (key: string, value: string) => void data.set(key, value),
    removeItem: (key: string) => void data.delete(key),
  };
  const store = new SessionStore(storage, "doc");
  const pending = [{ base: 3, firstSeq: 8, lastSeq: 9, bytes: Uint8Array.of(1, 2, 255) }];
  const lineage = { incarnation: "i", ssn: 1, sid: 7 };
  const session = { client: "c", lineage, ackedSeq: 7, pending };
  assert.equal(store.waiting(), 0);
  assert.ok(store.save(session));
  assert.equal(store.waiting(), 2);
  assert.deepEqual(store.claim(), session);
  assert.equal(store.claim(), null);
  assert.equal(store.waiting(), 0);
  data.set("weft:session:doc", "{nonsense");
  assert.equal(store.claim(), null);
});

test("presence is sent after the welcome, coalesced, and again after a reconnect", async () => {
  const w = await world("presence");
  const connection = w.client();
  connection.setPresence({ name: "Ada", colour: 0xff0000, selections: [] });
  await w.settle();
  for (let i = 0; i < 10; ++i) {
    connection.setPresence({ name: `Ada ${i}`, colour: 0xff0000, selections: [] });
  }
  await w.settle();
  assert.deepEqual([...w.server.sessions].map((s) => s.presences), [2]);
  w.server.dropAll(1006);
  await w.settle();
  assert.deepEqual([...w.server.sessions].map((s) => s.presences), [1]);
});

test("without the right to edit nothing is taken, and a new role counts at once", async () => {
  const w = await world("a viewer");
  const writer = w.client();
  await w.settle();
  writer.insert(0, "text");
  await w.settle();
  w.server.access = { role: 1, expiresInS: 3600 };
  const viewer = w.client();
  const heard: string[] = [];
  viewer.on("access", ({ role, name }) => void heard.push(`${role} ${name}`));
  await w.settle();
  assert.deepEqual(heard, ["viewer Ann"]);
  assert.equal(viewer.document!.text(), "text");
  assert.equal(viewer.editable, false);
  assert.equal(viewer.insert(0, "no"), EditOutcome.noSite);
  assert.equal(viewer.document!.text(), "text");
  w.server.access = { role: 3, expiresInS: 3600 };
  for (const session of w.server.sessions) session.tellAccess();
  await w.settle();
  assert.equal(viewer.editable, true);
  viewer.insert(0, "yes, ");
  await w.settle();
  assert.equal(writer.document!.text(), "yes, text");
});

test("a fresh token comes before the old one ends, and only while the session lives", async () => {
  const w = await world("renewal");
  w.server.access = { role: 4, expiresInS: 100 };
  const asked: string[] = [];
  const connection = w.client(null, { token: (why) => (asked.push(why), `token ${asked.length}`) });
  await w.settle(80_000);
  assert.deepEqual(asked, ["connect"]);
  await w.settle(15_000);
  assert.deepEqual(asked, ["connect", "renew"]);
  assert.deepEqual(w.server.renewed, ["token 2"]);
  await w.settle(90_000);
  assert.deepEqual(w.server.renewed, ["token 2", "token 3"]);
  connection.close();
  await w.settle(500_000);
  assert.equal(asked.length, 3);
});
