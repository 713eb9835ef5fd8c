// kill -9 while documents are created and deleted over REST: what was answered with success is so.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freshDirectory, runWeft, Server } from "../../support-js/server.mjs";
import { Random, seedFor } from "../replay/histories.mjs";
import { DatabaseCopy } from "./database.mjs";

const kills = Number(process.env.WEFT_DOCUMENT_KILLS ?? 60);
const clients = 4;

/** One that creates documents and deletes some of them, until the server is gone. */
class Client {
  /** { title, content, key, id: null until answered, deleting, deleted } */
  documents = [];
  #random;
  #name;
  constructor(random, name) {
    this.#random = random;
    this.#name = name;
  }

  async work(server) {
    try {
      for (;;) {
        if (this.#random.chance(0.3)) await this.#remove(server);
        else await this.#create(server);
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;  // what fetch throws when the server is gone
    }
  }

  async #create(server) {
    const n = this.documents.length;
    const document = { title: `${this.#name} ${n}`, content: `😀 ${n}\n`.repeat(this.#random.below(50)) };
    document.key = randomUUID();
    this.documents.push(document);
    await this.send(server, document);
  }
  /** Again after a restart: the same key gives the same document. */
  async send(server, document) {
    const { title, content, key } = document;
    const response = await server.post({ title, content }, { "Idempotency-Key": key });
    const body = await response.text();
    assert.ok(response.status === 201 || response.status === 200, body);
    const { document_id: id } = JSON.parse(body);
    if (document.id) assert.equal(id, document.id);
    document.id = id;
  }

  async #remove(server) {
    const there = this.documents.filter((document) => document.id && !document.deleting);
    if (there.length === 0) return;
    const document = this.#random.pick(there);
    document.deleting = true;
    const how = this.#random.chance(0.4) ? "?hard=true" : "";
    const response = await server.fetch(`/api/v1/documents/${document.id}${how}`, { method: "DELETE" });
    await response.arrayBuffer();
    assert.equal(response.status, 204);
    document.deleted = true;
  }
}

async function check(server, document, when) {
  const response = await server.fetch(`/api/v1/documents/${document.id}/text`, {
    headers: { Accept: "text/plain" },
  });
  const body = await response.text();
  if (document.deleting && response.status === 410) document.deleted = true;
  if (document.deleted) return assert.equal(response.status, 410, `${when}: a deleted document is back`);
  assert.equal(response.status, 200, `${when}: a created document is lost: ${body}`);
  assert.equal(body, document.content, when);
}

async function listedTitles(server) {
  const titles = [];
  let query = "?limit=100";
  while (query !== null) {
    const page = await (await server.fetch(`/api/v1/documents${query}`)).json();
    titles.push(...page.documents.map((document) => document.title));
    query = page.next_cursor ? `?limit=100&cursor=${encodeURIComponent(page.next_cursor)}` : null;
  }
  return titles;
}

test(`${kills} kills while documents are created and deleted`, { timeout: 300_000 }, async (t) => {
  const seed = seedFor(t);
  const random = new Random(seed);
  const data = freshDirectory(t);
  let server = await Server.start(t, { data });
  const { port } = server;
  const everybody = Array.from({ length: clients }, (_, i) => new Client(random, `client ${i}`));
  for (let kill = 1; kill <= kills; ++kill) {
    const when = `seed ${seed}, kill ${kill}`;
    const working = everybody.map((client) => client.work(server));
    await sleep(30 + random.below(90));
    await server.kill();
    await Promise.all(working);
    const copy = new DatabaseCopy(data);
    try {
      copy.assertSound();
    } finally {
      copy.remove();
    }
    server = await Server.start(t, { data, port });
    const documents = everybody.flatMap((client) => client.documents);
    for (const document of documents) {
      if (document.id && !document.checked) await check(server, document, when);
      // Once deleted, it is looked at once more in the end.
      document.checked = document.deleted;
    }
    // Those that were not answered are asked for again, and are there once.
    for (const client of everybody) {
      for (const document of client.documents) if (!document.id) await client.send(server, document);
    }
    const expected = documents.filter((document) => !document.deleted).map(({ title }) => title);
    assert.deepEqual((await listedTitles(server)).sort(), expected.sort(), when);
  }
  const documents = everybody.flatMap((client) => client.documents);
  for (const document of documents) await check(server, document, `seed ${seed}, at the end`);
  await server.end();
  const copy = new DatabaseCopy(data);
  t.after(() => copy.remove());
  assert.deepEqual(copy.query("SELECT document_id FROM erased_documents WHERE rows_left = 1"), []);
  const fsck = await runWeft(["fsck", "--data", data]);
  assert.equal(fsck.code, 0, fsck.stdout + fsck.stderr);
  assert.ok(copy.query("SELECT 1 FROM erased_documents LIMIT 1").length > 0);
  assert.ok(documents.length > kills && documents.some((document) => document.deleted));
  t.diagnostic(`${documents.length} documents created, ${documents.filter((d) => d.deleted).length} deleted`);
});
