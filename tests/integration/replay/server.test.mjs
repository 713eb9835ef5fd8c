// Editing histories through a real server: one real connection per author, and a watcher.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { freshDirectory, Server, runWeft } from "../../support-js/server.mjs";
import { replay, replayOk, storedHistories, writeHistory } from "./files.mjs";
import { concurrentHistory, seedFor, sequentialHistory, toJson } from "./histories.mjs";

const write = (directory, histories) =>
  histories.map((history, i) => writeHistory(directory, `${i}.json`, toJson(history)));

async function documentsOn(server) {
  const response = await server.fetch("/api/v1/documents");
  assert.equal(response.status, 200);
  return (await response.json()).documents;
}

/** Until a document is there, and some of the history in it. */
async function untilEdited(server) {
  for (const deadline = Date.now() + 20_000; ; assert.ok(Date.now() < deadline)) {
    const [document] = await documentsOn(server);
    if (document?.version > 20) return;
  }
}

test("stored histories end with the recorded text", async (t) => {
  const server = await Server.start(t);
  const files = storedHistories().map((history) => history.path);
  const { reports } = await replayOk(files, ["--server", server.origin]);
  for (const { server: figures, authors } of reports) {
    assert.equal(figures.connections, authors + 2, "authors, a watcher, a latecomer");
    assert.equal(figures.reconnects, 0);
    for (const name of ["operations_per_s", "ack_p50_ms", "propagation_p50_ms", "pushes"]) {
      assert.ok(figures[name] > 0, `${name} is ${figures[name]}`);
    }
  }
  assert.deepEqual(await documentsOn(server), [], "nothing is left behind");
});

test("generated histories of one author", async (t) => {
  const server = await Server.start(t);
  const seed = seedFor(t);
  const histories = ["", "start\n", "😀\r\n"].map((start, i) => sequentialHistory(seed + i, { start }));
  await replayOk(write(freshDirectory(t), histories), ["--server", server.origin]);
});

test("two authors always edit on the recorded version", async (t) => {
  const server = await Server.start(t);
  const seed = seedFor(t);
  const histories = [0.02, 0.2, 0.9].map((learnChance, i) =>
    concurrentHistory(seed + i, { authors: 2, learnChance }));
  const { reports } = await replayOk(write(freshDirectory(t), histories), ["--server", server.origin]);
  for (const report of reports) assert.equal(report.server.enlarged_edits, 0);
});

test("so do many authors who look at everything when they look", async (t) => {
  const server = await Server.start(t);
  const history = concurrentHistory(seedFor(t), { authors: 6, learn: "all" });
  const { reports } = await replayOk(write(freshDirectory(t), [history]), ["--server", server.origin]);
  assert.equal(reports[0].server.enlarged_edits, 0);
  assert.equal(reports[0].server.connections, 8);
});

test("what one log cannot express is counted, and everybody still agrees", async (t) => {
  const server = await Server.start(t);
  const seed = seedFor(t);
  const shapes = [{ authors: 5, learn: "one" }, { authors: 3, branches: 3 }, { authors: 4, learnChance: 0.5 }];
  const histories = shapes.map((shape, i) => concurrentHistory(seed + i, shape));
  const { reports } = await replay(write(freshDirectory(t), histories), ["--server", server.origin]);
  for (const report of reports) {
    assert.ok(report.server.enlarged_edits > 0, "these histories have such edits");
    // Who saw more than recorded may put a text elsewhere among concurrent ones, but nowhere else.
    if (!report.ok) assert.match(report.problem, /everybody agrees.*on a larger version than recorded/);
  }
});

test("--keep leaves the document, with the text", async (t) => {
  const server = await Server.start(t);
  const history = sequentialHistory(seedFor(t), { transactions: 50 });
  const files = write(freshDirectory(t), [history]);
  const { reports } = await replayOk(files, ["--server", server.origin, "--keep"]);
  const documents = await documentsOn(server);
  assert.deepEqual(documents.map((document) => document.document_id), [reports[0].server.document_id]);
  assert.equal(await server.text(documents[0].document_id), history.endContent);
});

test("no server there", async (t) => {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const files = write(freshDirectory(t), [sequentialHistory(1, { transactions: 5 })]);
  const { code, reports } = await replay(files, ["--server", `http://127.0.0.1:${port}`]);
  assert.equal(code, 1);
  assert.match(reports[0].problem, /cannot be reached: Connection refused/);
});

test("something else that listens there", async (t) => {
  const other = createServer((socket) => socket.end("220 hello\r\n")).listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  t.after(() => other.close());
  const files = write(freshDirectory(t), [sequentialHistory(1, { transactions: 5 })]);
  const { code, reports } = await replay(files, ["--server", `http://127.0.0.1:${other.address().port}`]);
  assert.equal(code, 1);
  assert.match(reports[0].problem, /the server at/);
});

for (const url of ["127.0.0.1:8080", "https://127.0.0.1", "http://", "http://host:port", "http://[::1", "http://a/b"]) {
  test(`a bad URL: ${url}`, async (t) => {
    const files = write(freshDirectory(t), [sequentialHistory(1, { transactions: 5 })]);
    const { code, stderr } = await runWeft(["replay", "--server", url, ...files]);
    assert.equal(code, 2);
    assert.match(stderr, /is not the address of a server/);
  });
}

test("the server dies midway: an end in bounded time, and it is said", async (t) => {
  const server = await Server.start(t);
  const history = concurrentHistory(seedFor(t), { authors: 2, transactions: 1500, learnChance: 0.5 });
  const files = write(freshDirectory(t), [history]);
  const running = replay(files, ["--server", server.origin, "--runs", "20"], { timeoutMs: 60_000 });
  await untilEdited(server);
  await server.kill();
  const { code, reports } = await running;
  assert.equal(code, 1);
  assert.match(reports[0].problem, /went away and did not come back/);
});

test("the server dies midway and comes back: everything arrives, once", async (t) => {
  const data = freshDirectory(t);
  const server = await Server.start(t, { data });
  const history = concurrentHistory(seedFor(t), { authors: 2, transactions: 1500, learnChance: 0.5 });
  const files = write(freshDirectory(t), [history]);
  const running = replayOk(files, ["--server", server.origin], { timeoutMs: 60_000 });
  await untilEdited(server);
  await server.kill();
  await Server.start(t, { data, port: server.port });
  const { reports } = await running;
  assert.ok(reports[0].server.reconnects >= 2, "it was a matter of luck otherwise");
});
