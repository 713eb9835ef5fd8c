// The WebSocket as a door: who is let in, what is refused and how it is closed. What is said inside
// is tested elsewhere.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { exchange, statuses } from "../../support-js/raw_http.mjs";
import { Server, assertProblem } from "../../support-js/server.mjs";
import { decodeOperations } from "../../support-js/operations.mjs";
import { Close, encodeHello, encodePush, subprotocol } from "../../support-js/protocol.mjs";
import { TestSocket } from "../../support-js/socket.mjs";

const upgrade = (id, extra = "") =>
  `GET /api/v1/documents/${id}/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n` +
  `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`;

test("joining, typing, and being read by another", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const author = new TestSocket(server, id);
  const welcome = await author.join();
  assert.equal(author.ws.protocol, subprotocol);
  assert.equal(author.ws.extensions, "", "no compression, though it was offered");
  assert.equal(welcome.lastIndex, 0);
  const reader = new TestSocket(server, id);
  await reader.join();
  author.ws.send(
    encodePush(0, [
      {
        kind: "insert",
        len: 5,
        ssn: welcome.ssn,
        sum: 1,
        sid: welcome.sid,
        seq: 1,
        ref: { sid: 0, seq: 0 },
        text: "hi 😀!",
      },
    ]),
  );
  assert.equal((await author.next("ack")).seq, 5);
  const heard = decodeOperations((await reader.next("operations")).bytes);
  assert.equal(heard.map((op) => op.text).join(""), "hi 😀!");
  assert.equal(await server.text(id), "hi 😀!");
  author.ws.close(1000);
  reader.ws.close(1000);
  assert.equal((await author.closed).code, 1000);
});

test("documents that are not there are refused after the upgrade", async (t) => {
  const server = await Server.start(t);
  const never = await new TestSocket(server, randomUUID()).opened();
  never.ws.send(encodeHello({ client: never.client }));
  assert.equal((await never.next("refused")).code, "document_not_found");
  assert.equal((await never.closed).code, Close.notFound);

  const id = await server.create("x");
  const socket = new TestSocket(server, id);
  await socket.join();
  await server.fetch(`/api/v1/documents/${id}`, { method: "DELETE" });
  assert.equal((await socket.closed).code, Close.notFound);
  const late = await new TestSocket(server, id).opened();
  late.ws.send(encodeHello({ client: late.client }));
  assert.equal((await late.next("refused")).code, "document_deleted");
  assert.equal((await late.closed).code, Close.notFound);
});

test("upgrades that do not fit are refused", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const response = await server.fetch(`/api/v1/documents/${id}/ws`);
  assert.equal(response.headers.get("upgrade"), "websocket");
  await assertProblem(response, 426, "websocket_required");
  const status = async (request) =>
    statuses(await exchange(server.port, request, { timeoutMs: 1000 }))[0];
  assert.equal(await status(upgrade(id)), 101, "no subprotocol is as good as ours");
  assert.equal(await status(upgrade(id, "Sec-WebSocket-Protocol: chat, weft.v1\r\n")), 101);
  assert.equal(await status(upgrade(id, "Sec-WebSocket-Protocol: chat\r\n")), 400);
  assert.equal(await status(upgrade(id).replace("Version: 13", "Version: 8")), 426);
  assert.equal(await status(upgrade(id).replace("dGhlIHNhbXBsZSBub25jZQ==", "short")), 400);
  assert.equal(await status(upgrade(id).replace("localhost", "evil.example")), 403);
  assert.equal(await status(upgrade(id, "Origin: http://evil.example\r\n")), 403);
  assert.equal(await status(upgrade(id, "Origin: http://localhost:5173\r\n")), 101);
  assert.equal(await status(upgrade(id) + "\x82\x80\0\0\0\0"), 400, "frames before the answer");
  assert.equal(await status(upgrade("not-a-uuid")), 404);
});

test("messages that break the rules close with their code", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const closing = async (code, act) => {
    const socket = await new TestSocket(server, id).opened();
    await act(socket);
    assert.equal((await socket.closed).code, code);
    return socket;
  };
  const text = await closing(Close.badMessage, (s) => s.ws.send("hello"));
  assert.equal((await text.next("refused")).code, "text_message");
  await closing(Close.badMessage, async (s) => {
    await s.join();
    s.ws.send("hello");
  });
  await closing(Close.badMessage, (s) => s.ws.send(Buffer.from([1])));
  await closing(Close.badMessage, (s) => s.ws.send(encodePush(0, [])));
  const big = await closing(Close.tooBig, (s) => s.ws.send(Buffer.alloc(9 << 10)));
  assert.equal((await big.next("refused")).code, "too_large");
  await closing(Close.protocolVersion, (s) =>
    s.ws.send(encodeHello({ client: s.client, versions: [7, 9] })),
  );
  assert.equal(await server.text(id), "");
});

test("a message over the limit is answered, however much of it is under way", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  // The close frame must not be overtaken by a reset: what is still coming has to be read first.
  for (const bytes of [(1 << 20) + 1, (1 << 20) + 1, 2 << 20, 5 << 20, 20 << 20]) {
    const socket = new TestSocket(server, id);
    await socket.join();
    socket.ws.send(Buffer.alloc(bytes));
    assert.equal((await socket.closed).code, Close.tooBig, `${bytes} bytes`);
    assert.equal((await socket.next("refused")).code, "too_large");
  }
  const pieces = new TestSocket(server, id);
  await pieces.join();
  for (let sent = 0; sent < 64 << 20; sent += 256 << 10) {
    if (pieces.ws.readyState !== 1) break;
    pieces.ws.send(Buffer.alloc(256 << 10), { fin: false });
  }
  assert.equal((await pieces.closed).code, Close.tooBig, "fragments count together");
});

test("a connection that says nothing is closed in time", { timeout: 30_000 }, async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const started = Date.now();
  const silent = await new TestSocket(server, id).opened();
  const half = connect(server.port, "127.0.0.1");
  half.on("error", () => {});
  half.write("GET / HTTP/1.1\r\nHost");
  const { code } = await silent.closed;
  assert.equal(code, Close.badMessage);
  assert.equal((await silent.next("refused")).code, "hello_timeout");
  const waited = Date.now() - started;
  assert.ok(waited > 9_000 && waited < 14_000, `${waited} ms`);
  half.destroy();
});

test("a peer that does not answer the close is dropped", { timeout: 30_000 }, async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {});
  let received = Buffer.alloc(0);
  socket.on("data", (bytes) => (received = Buffer.concat([received, bytes])));
  // After the upgrade a masked text frame "x", and then silence: the close stays unanswered.
  socket.write(upgrade(id));
  while (!received.includes("\r\n\r\n")) await new Promise((resolve) => setTimeout(resolve, 10));
  socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]));
  const started = Date.now();
  await new Promise((resolve) => socket.on("close", resolve));
  assert.ok(Date.now() - started < 10_000);
});

test("a thousand connections come and go", { timeout: 60_000 }, async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  for (let round = 0; round < 5; ++round) {
    const sockets = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const socket = new TestSocket(server, id);
        await socket.join();
        return socket;
      }),
    );
    for (const socket of sockets) round % 2 ? socket.ws.terminate() : socket.ws.close(1000);
    await Promise.all(sockets.map((socket) => socket.closed));
  }
  let sessions = -1;
  for (let i = 0; i < 100 && sessions !== 0; ++i) {
    sessions = (await (await server.fetch(`/api/v1/documents/${id}/text`)).json()).sessions;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(sessions, 0);
});

test("a client that does not read is cut, and the others go on", { timeout: 60_000 }, async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const stuck = new TestSocket(server, id);
  await stuck.join();
  stuck.ws._socket.pause();
  const author = new TestSocket(server, id);
  const { ssn, sid } = await author.join();
  const len = 1_000_000;
  const pushes = 30; // far more than the outbox and the kernel's buffers hold
  for (let i = 0, next = 1; i < pushes; ++i, next += len) {
    const op = { kind: "insert", len, ssn, sid, sum: next, seq: next, ref: { sid: 0, seq: 0 } };
    author.ws.send(encodePush(0, [{ ...op, text: "x".repeat(len) }]));
    while ((await author.next("ack", 20_000)).seq < next + len - 1);
  }
  let sessions = 2;
  for (let i = 0; i < 200 && sessions !== 1; ++i) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const text = await server.fetch(`/api/v1/documents/${id}/text`);
    ({ sessions } = await text.json());
  }
  assert.equal(sessions, 1, "the stuck session is gone, the author's is not");
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1];
  assert.ok(Number(resident) < 400_000, `${resident} KiB for a text of 30 MB`);
  stuck.ws.terminate();
});
