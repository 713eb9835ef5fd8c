// Server-sent events and presence: what happens in a document, heard by whoever only listens.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { limits } from "../../support-js/limits.mjs";
import { Postgres } from "../../support-js/postgres.mjs";
import { encodePresence } from "../../support-js/protocol.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";

const json = { "Content-Type": "application/json" };

/** One listener: reads events as a browser's EventSource does. */
class Listener {
  #reader;
  #text = "";
  #decoder = new TextDecoder();
  #stop = new AbortController();

  static async open(t, server, id, { headers = {}, query = "" } = {}) {
    const listener = new Listener();
    listener.response = await server.fetch(`/api/v1/documents/${id}/events${query}`, {
      headers: { Accept: "text/event-stream", ...headers }, signal: listener.#stop.signal,
    });
    if (listener.response.status === 200) listener.#reader = listener.response.body.getReader();
    t.after(() => listener.close());
    return listener;
  }

  /** The next event that is no comment; null at the end. */
  async next() {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { value, done } = await this.#reader.read();
        if (done) return null;
        this.#text += this.#decoder.decode(value, { stream: true });
        continue;
      }
      const fields = this.#text.slice(0, end).split("\n").map((line) => /^([^:]*): ?(.*)$/s.exec(line));
      this.#text = this.#text.slice(end + 2);
      const field = (name) => fields.find((found) => found[1] === name)?.[2];
      if (field("event") === undefined) continue;
      return { event: field("event"), id: field("id"), data: JSON.parse(field("data")) };
    }
  }

  async nextOf(kind) {
    for (;;) {
      const event = await this.next();
      assert.notEqual(event, null, `the end came before ${kind}`);
      if (event.event === kind) return event;
    }
  }

  close() {
    this.#stop.abort();
  }
}

function apply(text, patches) {
  const characters = [...text];
  for (const { at, delete: erased, insert } of patches) characters.splice(at, erased, ...insert);
  return characters.join("");
}

for (const kind of ["SQLite", "PostgreSQL"]) {
  test(`listening to edits on ${kind}`, async (t) => {
    const database = kind === "PostgreSQL" ? (await Postgres.start(t)).url() : undefined;
    const server = await Server.start(t, { database });
    const id = await server.create("heard", "one\ntwo\n");
    const put = (text) => server.fetch(`/api/v1/documents/${id}/text`, { method: "PUT", headers: json, body: JSON.stringify({ text }) });

    const listener = await Listener.open(t, server, id);
    assert.match(listener.response.headers.get("content-type"), /^text\/event-stream/);
    assert.deepEqual(await listener.next(), { event: "open", id: "1", data: { version: 1 } });
    assert.deepEqual((await listener.nextOf("presence")).data, { version: 1, peers: [] });
    await put("one\n2😀\n");
    let text = "one\ntwo\n";
    let last = 1;
    while (text !== "one\n2😀\n") {
      const { id: version, data } = await listener.nextOf("edit");
      assert.equal(data.version, last + 1);
      assert.equal(version, String(data.version));
      last = data.version;
      text = apply(text, data.patches);
    }

    // Whoever comes back is told what it has missed, from the log.
    listener.close();
    for (let i = 0; i < 120; ++i) await put(`one\n2😀 ${i}\n`);
    const back = await Listener.open(t, server, id, { headers: { "Last-Event-ID": String(last) } });
    assert.equal((await back.nextOf("open")).data.version, last);
    while (text !== "one\n2😀 119\n") {
      const { data } = await back.nextOf("edit");
      assert.equal(data.version, ++last);
      text = apply(text, data.patches);
    }
    const from0 = await Listener.open(t, server, id, { query: "?after=0" });
    let replayed = "";
    while (replayed !== text) replayed = apply(replayed, (await from0.nextOf("edit")).data.patches);

    // The end: a deletion is said, a shutdown is not.
    await server.fetch(`/api/v1/documents/${id}`, { method: "DELETE" });
    assert.equal((await back.nextOf("deleted")).data.code, "document_deleted");
    assert.equal(await back.next(), null);
    await assertProblem((await Listener.open(t, server, id)).response, 410, "document_deleted");
  });
}

test("what a listener cannot ask for", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("heard", "text");
  const refused = async (options, status, code) => assertProblem((await Listener.open(t, server, id, options)).response, status, code);
  await refused({ headers: { "Last-Event-ID": "x" } }, 400, "bad_version");
  await refused({ query: "?after=9" }, 400, "index_out_of_range");
  await refused({ query: "?from=0" }, 400, "unknown_parameter");
  await refused({ headers: { Accept: "application/json" } }, 406, "not_acceptable");
  const head = await server.fetch(`/api/v1/documents/${id}/events`, { method: "HEAD" });
  assert.equal(head.status, 200);
  const post = await server.fetch(`/api/v1/documents/${id}/events`, { method: "POST" });
  await assertProblem(post, 405, "method_not_allowed");

  // As many as there are places for; a place is free again when its listener has gone.
  const crowd = await Promise.all([...Array(limits.max_event_listeners)].map(() => Listener.open(t, server, id)));
  assert.ok(crowd.every(({ response }) => response.status === 200));
  await refused({}, 503, "too_many_listeners");
  for (const listener of crowd) listener.close();
  let again;
  const deadline = Date.now() + 20_000;
  do {
    await sleep(20);
    again = await Listener.open(t, server, id);
  } while (again.response.status !== 200 && Date.now() < deadline);
  assert.equal((await again.next()).event, "open");
  // A shutdown does not wait for listeners.
  const started = Date.now();
  assert.equal((await server.end("SIGTERM")).code, 0);
  assert.ok(Date.now() - started < 4_000, "it waited for a listener");
});

test("who is there, and where", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("attended", "a😀bc");
  const presence = async () => (await server.fetch(`/api/v1/documents/${id}/presence`)).json();
  assert.deepEqual(await presence(), { document_id: id, version: 1, peers: [], authors: {} });
  const listener = await Listener.open(t, server, id);
  assert.deepEqual((await listener.nextOf("presence")).data.peers, []);

  const socket = new TestSocket(server, id);
  const { session, sid } = await socket.join();
  assert.deepEqual((await listener.nextOf("presence")).data.peers, [{ session, sid, name: "", colour: "#000000", selections: [] }]);
  const [inserted] = (await (await server.fetch(`/api/v1/documents/${id}/operations`)).json()).operations;
  const end = (seq, side) => ({ sid: inserted.operation.sid, seq, side });
  socket.ws.send(encodePresence({ name: "Ada", colour: 0xff8000, selections: [{ anchor: end(2, 0), head: end(3, 1) }] }));
  const there = { session, sid, name: "Ada", colour: "#ff8000", selections: [{ anchor: 1, head: 3 }] };
  assert.deepEqual((await listener.nextOf("presence")).data.peers, [there]);
  assert.deepEqual((await presence()).peers, [there]);
  socket.ws.close();
  assert.deepEqual((await listener.nextOf("presence")).data.peers, []);
  assert.deepEqual((await presence()).peers, []);
  await assertProblem(await server.fetch(`/api/v1/documents/${id}/presence?x=1`), 400, "unknown_parameter");
});
