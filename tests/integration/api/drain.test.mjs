// SIGTERM: not ready first, then closed in order, with every edit that was read acknowledged or kept back.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Close } from "../../support-js/protocol.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { Typist } from "../../support-js/typist.mjs";

test("/readyz turns 503 first, while everything is still served", async (t) => {
  const server = await Server.start(t, { args: ["--drain-delay", "3s"] });
  const id = await server.create("x");
  const author = new TestSocket(server, id);
  const typist = new Typist(author, await author.join());
  assert.equal((await server.fetch("/readyz")).status, 200);

  const ended = server.end();
  for (const deadline = Date.now() + 2_000; ; await sleep(10)) {
    const response = await server.fetch("/readyz");
    if (response.status === 503) {
      await assertProblem(response, 503, "draining");
      break;
    }
    await response.text();
    assert.ok(Date.now() < deadline, "not ready within 2 s");
  }
  const health = await server.fetch("/healthz");
  assert.equal(health.status, 200);
  assert.equal((await health.json()).status, "draining");
  typist.type("late");
  await typist.acknowledged();
  const joined = new TestSocket(server, id);
  await joined.join();
  assert.equal((await author.closed).code, Close.restart);
  assert.equal((await joined.closed).code, Close.restart);
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test("no acknowledgement is lost, and nothing is kept that was not acknowledged", async (t) => {
  const server = await Server.start(t, { args: ["--threads", "2"] });
  const people = [];
  for (let i = 0; i < 8; ++i) {
    const id = await server.create(`${i}`);
    const socket = new TestSocket(server, id);
    people.push({ id, socket, typist: new Typist(socket, await socket.join()) });
  }
  const text = "abcdefghij".repeat(60);
  for (const { typist } of people) typist.type(text);
  people[0].socket.messages.push(await people[0].socket.next("ack"));
  const ended = server.end();
  for (const { socket } of people) assert.equal((await socket.closed).code, Close.restart);
  assert.deepEqual(await ended, { code: 0, signal: null });

  const again = await Server.start(t, { data: server.data });
  let total = 0;
  for (const { id, socket } of people) {
    const acked = Math.max(0, ...socket.messages.filter(({ kind }) => kind === "ack").map(({ seq }) => seq));
    assert.equal(await again.text(id), text.slice(0, acked), "exactly what was acknowledged");
    total += acked;
  }
  assert.ok(total > 0);
});

test("who does not hang up is waited for as long as --drain-timeout says", async (t) => {
  const server = await Server.start(t, { args: ["--drain-timeout", "1s"] });
  const socket = connect(server.port, "127.0.0.1");
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write("POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{");
  // The one who asks is the other.
  while (!/^weft_connections 2$/m.test(await (await server.fetch("/metrics")).text())) await sleep(10);
  const started = Date.now();
  assert.deepEqual(await server.end(), { code: 0, signal: null });
  const took = Date.now() - started;
  assert.ok(took >= 900 && took < 4_000, `${took} ms`);
});
