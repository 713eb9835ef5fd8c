// Edits that come late: made offline, beside text that was deleted and purged meanwhile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../src/connection.js";
import type { StoredSession } from "../src/store.js";
import { FakeServer } from "./fake_server.js";
import { Rng, loadCore, seedFor } from "./support.js";
import { VirtualTime } from "./virtual_time.js";

/** Two people who have "one two three", and a server that is going to purge " two". */
async function scene(name: string) {
  const time = new VirtualTime();
  const rng = new Rng(seedFor(name));
  const core = await loadCore();
  const server = new FakeServer(core, time, rng.below(1 << 30));
  const troubles: string[] = [];
  let clients = 0;
  const join = async (url: string, restored: StoredSession | null = null) => {
    const connection = new Connection({
      core,
      url,
      restored,
      ports: {
        timers: time,
        openSocket: (to, events) => server.open(to, events),
        random: () => rng.next(),
        newClientId: () => `00000000-0000-4000-9000-${String(++clients).padStart(12, "0")}`,
      },
    });
    connection.on("rescue", ({ code }) => troubles.push(`rescue ${code}`));
    connection.on("diverged", (why) => troubles.push(`diverged ${why}`));
    connection.start();
    await time.advance(10_000);
    return connection;
  };
  const a = await join("ws://a/ws");
  a.insert(0, "one two three");
  await time.advance(1_000);
  const b = await join("ws://b/ws");
  const goOffline = async () => {
    server.unreachable.add("ws://b/ws");
    for (const session of [...server.sessions]) if (session.client === b.client) session.drop(1006, "");
    await time.advance(100);
  };
  const purge = async () => {
    a.erase(3, 4);
    await time.advance(1_000);
    const { site } = a;
    server.purge({ sid: site, seq: 4 }, 4, { sid: site, seq: 3 });
    await time.advance(1_000);
    assert.equal(a.document!.text().includes("two"), false);
    assert.equal(a.document!.elements, a.document!.length);
  };
  const expect = (who: Connection, text: string) => {
    assert.deepEqual(troubles, []);
    assert.equal(server.document.text(), text);
    assert.equal(a.document!.text(), text);
    assert.equal(who.document!.text(), text);
    assert.equal(who.document!.stateHash(), server.document.stateHash());
    assert.equal(who.unsaved, 0);
    assert.equal(who.state.kind, "live");
  };
  return { time, server, a, b, join, goOffline, purge, expect };
}

for (let round = 0; round < 6; ++round) {
  test(`late edits end in the text, once, and the client takes a fresh state (${round})`, async () => {
    const { time, server, a, b, goOffline, purge, expect } = await scene(`late ${round}`);
    await goOffline();
    b.insert(7, "!");  // beside the "o" that is going to be purged
    await time.advance(10);
    b.insert(8, "?");
    b.erase(0, 1);
    await purge();
    if (round % 2 === 1) server.takeSnapshot();
    server.unreachable.clear();
    await time.advance(30_000);
    expect(b, "ne!? three");
    assert.ok(server.rebases > 0);
    assert.equal(b.site, 3, "it is still the same site");
    b.insert(0, "O");
    a.insert(0, ".");
    await time.advance(5_000);
    expect(b, b.document!.text());
    assert.equal(server.document.length, 12);
  });

  test(`who types on while the late edits are pushed loses nothing (${round})`, async () => {
    const { time, server, b, goOffline, purge, expect } = await scene(`typing on ${round}`);
    server.maxDelayMs = 80;
    await goOffline();
    b.insert(7, "!");
    await purge();
    server.unreachable.clear();
    let typed = "";
    for (let i = 0; i < 60; ++i) {
      await time.advance(50);
      const letter = "abcdefghij"[i % 10]!;
      if (!b.editable) continue;
      b.insert(b.document!.length, letter);
      typed += letter;
    }
    await time.advance(30_000);
    expect(b, `one! three${typed}`);
  });

  test(`late edits of a page that is gone (${round})`, async () => {
    const { time, server, b, join, goOffline, purge, expect } = await scene(`reload ${round}`);
    await goOffline();
    b.insert(7, "!");
    const kept = b.handOver();
    b.close();
    await purge();
    server.unreachable.clear();
    const again = await join("ws://b/ws", kept);
    await time.advance(30_000);
    expect(again, "one! three");
  });

  test(`a push on its way when the purge comes (${round})`, async () => {
    const { time, server, a, b, expect } = await scene(`in flight ${round}`);
    server.maxDelayMs = 200;
    a.erase(3, 4);
    await time.advance(1_000);
    b.insert(3, "!");
    server.purge({ sid: a.site, seq: 4 }, 4, { sid: a.site, seq: 3 });
    server.horizon = server.lastIndex;  // nobody can have known as much
    b.insert(4, "?");
    await time.advance(30_000);
    expect(b, "one!? three");
    assert.ok(server.rebases > 0);
  });
}

test("who is behind and has nothing to say is not late", async () => {
  const { time, server, b, goOffline, purge, expect } = await scene("behind");
  await goOffline();
  await purge();
  server.unreachable.clear();
  await time.advance(10_000);
  b.insert(3, "!");
  await time.advance(10_000);
  expect(b, "one! three");
  assert.equal(server.rebases, 0);
});
