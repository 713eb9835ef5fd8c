// What an operator sees of a running server: /metrics, /readyz, /healthz, and the logs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { table_below } from "../../house/tree.mjs";
import { assert_monotone, parse_exposition, value } from "../../support-js/exposition.mjs";
import { Postgres } from "../../support-js/postgres.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";
import { Typist } from "../../support-js/typist.mjs";

async function scrape(server) {
  const response = await server.fetch("/metrics");
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return parse_exposition(await response.text());
}

/** Scrapes until the numbers are as they must be: some are counted just after the client has its answer. */
async function scrape_until(server, holds) {
  for (const deadline = Date.now() + 10_000; ; await sleep(20)) {
    const families = await scrape(server);
    if (holds(families) || Date.now() > deadline) return families;
  }
}

/** Two people, one of whom types; the other hears it. */
async function two_people(server, id) {
  const author = new TestSocket(server, id);
  const typist = new Typist(author, await author.join());
  const reader = new TestSocket(server, id);
  await reader.join();
  return { author, typist, reader };
}

test("the numbers move as they must while people type", async (t) => {
  const server = await Server.start(t);
  const first = await scrape(server);
  assert.equal(value(first, "weft_sessions"), 0);
  assert.equal(value(first, "weft_database_up"), 1);
  const id = await server.create("x");
  const { author, typist, reader } = await two_people(server, id);

  const before = await scrape(server);
  assert_monotone(first, before);
  assert.equal(value(before, "weft_sessions"), 2);
  assert.equal(value(before, "weft_documents_open"), 1);
  assert.ok(value(before, "weft_connections") >= 3);

  typist.type("one two three");
  await typist.acknowledged();
  const after = await scrape_until(server, (now) => value(now, "weft_outbox_bytes") === 0);
  assert_monotone(before, after);
  const moved = (name, labels) => value(after, name, labels) - value(before, name, labels);
  assert.equal(moved("weft_operations_total"), 13);
  assert.equal(moved("weft_propagation_seconds_count"), 13);
  assert.ok(moved("weft_propagation_seconds_sum") >= moved("weft_commit_seconds_sum"));
  assert.ok(moved("weft_commit_seconds_sum") > 0);
  const commits = moved("weft_commit_seconds_count");
  assert.ok(commits >= 1 && commits <= 13, `${commits}`);
  assert.equal(moved("weft_commit_rows_count"), commits);
  assert.ok(moved("weft_commit_rows_sum") >= commits && moved("weft_commit_rows_sum") <= 13);
  assert.equal(value(after, "weft_journal_queue_rows"), 0);
  assert.equal(value(after, "weft_outbox_bytes"), 0);
  assert.equal(moved("weft_websocket_messages_total", { direction: "received" }), 13);
  assert.ok(moved("weft_websocket_messages_total", { direction: "sent" }) >= 2, "an ack and rows");
  assert.ok(moved("weft_websocket_bytes_total", { direction: "sent" }) > 13);
  assert.equal(value(after, "weft_http_requests_total",
    { method: "GET", route: "/api/v1/documents/{id}/ws", status: "101" }), 2);

  author.ws.close(1000);
  reader.ws.terminate();
  await author.closed;
  const closed = await scrape_until(server, (now) => value(now, "weft_sessions") === 0);
  assert_monotone(after, closed);
  assert.equal(value(closed, "weft_sessions"), 0);
  assert.equal(value(closed, "weft_closes_total", { by: "client", code: "1000" }), 1);
  assert.equal(value(closed, "weft_closes_total", { by: "client", code: "1006" }), 1);
  const wrong = await new TestSocket(server, id).opened();
  wrong.ws.send("text");
  await wrong.closed;
  const refused = await scrape(server);
  assert.equal(value(refused, "weft_closes_total", { by: "server", code: "4400" }), 1);
});

test("labels come from fixed sets, whatever clients send", async (t) => {
  const server = await Server.start(t);
  const id = await server.create("x");
  const secret = "s3cr3t";
  for (const path of [
    `/api/v1/documents/${id}?${secret}=1`, `/api/v1/documents/${id}/text`, `/api/v1/documents/${secret}`,
    `/api/v1/documents/${secret}/text`, `/${secret}`, `/api/${secret}`, `/metrics?${secret}`, "/healthz",
    `/api/v1/documents/${id}/versions/${secret}`, "/", "/assets/nothing.js",
  ]) {
    await (await server.fetch(path)).text();
  }
  await (await server.fetch("/healthz", { method: "PROPFIND" })).text();
  const refused = ({ labels }) => labels.method === "other" && labels.status === "405";
  const families = await scrape_until(server, (now) => now.get("weft_http_requests_total").samples.some(refused));
  const requests = families.get("weft_http_requests_total").samples;
  const routes = new Set(requests.map(({ labels }) => labels.route));
  for (const route of ["/api/v1/documents", "/api/v1/documents/{id}", "/api/v1/documents/{id}/text", "other",
    "/api/v1/documents/{id}/versions/{name}", "/metrics", "/healthz"]) {
    assert.ok(routes.has(route), `${route} in ${[...routes].join()}`);
  }
  assert.ok(requests.some(refused));
  const text = JSON.stringify([...families.entries()]);
  assert.ok(!text.includes(secret) && !text.includes(id));
});

test("the table in docs/OPERATIONS.md is what /metrics serves", async (t) => {
  const server = await Server.start(t);
  const { author, reader } = await two_people(server, await server.create("x"));
  author.ws.close(1000);
  reader.ws.close(1000);
  await author.closed;
  const families = await scrape_until(server, (now) => now.has("weft_closes_total"));
  const labels_of = ({ samples }) => {
    const names = new Set(samples.flatMap(({ labels }) => Object.keys(labels)));
    names.delete("le");
    return [...names].sort().join(", ");
  };
  const served = [...families.values()].map((family) => `${family.name} ${family.type} ${labels_of(family)}`);
  const markdown = readFileSync(new URL("../../../docs/OPERATIONS.md", import.meta.url), "utf8");
  const rows = table_below(markdown, "Metrics").map((cells) => {
    assert.notEqual(cells[3], "", `${cells[0]} has a meaning`);
    return cells.slice(0, 3).join(" ").replaceAll("`", "");
  });
  assert.deepEqual(rows.map((row) => row.trim()).sort(), served.map((row) => row.trim()).sort());
});

test("metrics and readiness take GET and HEAD", async (t) => {
  const server = await Server.start(t);
  for (const path of ["/metrics", "/readyz"]) {
    const head = await server.fetch(path, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
    const post = await server.fetch(path, { method: "POST" });
    assert.equal(post.headers.get("allow"), "GET, HEAD");
    await assertProblem(post, 405, "method_not_allowed");
  }
  const ready = await server.fetch("/readyz");
  assert.deepEqual(await ready.json(), { status: "ready", checks: { database: "ok", draining: "no" } });
});

test("a database that is away makes the server not ready, and it comes back by itself", async (t) => {
  const postgres = await Postgres.start(t);
  const server = await Server.start(t, { database: postgres.url() });
  const ready = async (wanted) => {
    for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
      const response = await server.fetch("/readyz");
      if ((response.status === 200) === wanted) return response;
      const body = await response.text();
      assert.ok(Date.now() < deadline, `${response.status} ${body}`);
    }
  };
  await (await ready(true)).text();
  await postgres.stop("SIGQUIT");
  await assertProblem(await ready(false), 503, "database_unavailable");
  assert.equal((await server.fetch("/healthz")).status, 200, "the process lives");
  assert.equal(value(await scrape(server), "weft_database_up"), 0);
  await postgres.start();
  await (await ready(true)).text();
  assert.equal(value(await scrape(server), "weft_database_up"), 1);
});

test("a database that hangs makes the server not ready within a second, however many ask", async (t) => {
  const postgres = await Postgres.start(t);
  const server = await Server.start(t, { database: postgres.url() });
  const locked = spawn("psql", ["-X", "-q", "-d", postgres.url(), "-c",
    "BEGIN; LOCK TABLE documents IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(4)"], { stdio: "ignore" });
  t.after(() => locked.kill("SIGKILL"));
  const released = once(locked, "exit");
  for (;;) {
    const [{ held }] = postgres.query(
      "SELECT count(*) AS held FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted");
    if (held > 0) break;
    await sleep(20);
  }
  const started = Date.now();
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.fetch("/readyz")));
  assert.ok(Date.now() - started < 3_000);
  for (const answer of answers) await assertProblem(answer, 503, "database_timeout");
  assert.equal((await server.fetch("/healthz")).status, 200);
  const asked = postgres.query("SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted");
  assert.ok(asked[0].waiting <= 1, "one question is on its way at a time");
  await released;
  assert.equal((await server.fetch("/readyz")).status, 200);
});

test("json logs: one object a line, with request ids and without content", async (t) => {
  const server = await Server.start(t, { args: ["--log-format", "json", "--access-log"] });
  const id = await server.create("secret title", "secret text");
  await (await server.fetch(`/api/v1/documents/${id}/text?secret=query`)).text();
  await (await server.fetch(`/api/v1/documents/${id}`, {
    headers: { "X-Request-Id": "trace-7", Authorization: "Bearer secret-token" },
  })).text();
  assert.equal((await server.end()).code, 0);
  const lines = server.stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const line of lines) {
    assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.ok(["debug", "info", "warning", "error"].includes(line.level));
    assert.match(line.event, /^[a-z_]+$/);
  }
  const requests = lines.filter(({ event }) => event === "request");
  assert.equal(requests.length, 3);
  const traced = requests.find(({ request_id }) => request_id === "trace-7");
  assert.deepEqual(
    { method: traced.method, route: traced.route, status: traced.status, document: traced.document },
    { method: "GET", route: "/api/v1/documents/{id}", status: "200", document: id },
  );
  assert.ok(Number(traced.duration_us) >= 0);
  assert.doesNotMatch(server.stderr, /secret/);
  for (const event of ["serving", "stopping", "stopped"]) {
    assert.ok(lines.some((line) => line.event === event), event);
  }
});

test("logs for people: no access lines unless asked for", async (t) => {
  const quiet = await Server.start(t);
  await (await quiet.fetch("/healthz")).text();
  await quiet.end();
  assert.match(quiet.stderr, /^\d{4}-\d\d-\d\dT[\d:.]+Z info serving: /);
  assert.doesNotMatch(quiet.stderr, /request/);
  const told = await Server.start(t, { args: ["--access-log"] });
  await (await told.fetch("/healthz?secret")).text();
  await told.end();
  assert.match(told.stderr, /info request: method=GET route=\/healthz status=200 bytes=\d+ duration_us=\d+ request_id=\S+\n/);
  assert.doesNotMatch(told.stderr, /secret/);
});
