// deploy/haproxy.cfg: HAProxy takes it, its times fit the server's, and it does what its comments say in
// front of two real servers on one PostgreSQL.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { repository } from "../../house/tree.mjs";
import { Postgres } from "../../support-js/postgres.mjs";
import { Server, freshDirectory } from "../../support-js/server.mjs";
import { Proxy, certificate, check, configuration, replaced } from "./proxy.mjs";

async function until(what, holds, within_ms = 15_000) {
  for (const deadline = Date.now() + within_ms; !(await holds()); await sleep(50)) {
    assert.ok(Date.now() < deadline, what);
  }
}

/** A gauge of a server, asked without the proxy. */
async function gauge(server, name) {
  const text = await (await server.fetch("/metrics")).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)[1]);
}

test("HAProxy accepts the configuration without a warning", (t) => {
  const directory = freshDirectory(t);
  const sound = replaced(configuration, "/etc/haproxy/weft.pem", certificate(directory).file);
  const { status, stderr } = check(sound, directory);
  assert.equal(status, 0, stderr);
  const broken = replaced(sound, "timeout tunnel 2m", "timeout tunel 2m");
  assert.notEqual(check(broken, directory).status, 0, "it would not accept anything");
});

test("the times fit those of the server", () => {
  const limits = readFileSync(join(repository, "src/wire/limits.h"), "utf8");
  const limit = (name) => Number(new RegExp(`${name} = ([\\d']+);`).exec(limits)[1].replaceAll("'", ""));
  const ms = (pattern) => {
    const [, value, unit] = pattern.exec(configuration);
    return value * { s: 1000, m: 60_000 }[unit];
  };
  for (const side of ["client", "server"]) {
    const patience = ms(new RegExp(`timeout ${side} (\\d+)([sm])$`, "m"));
    assert.ok(patience > limit("request_timeout_ms") && patience > 2 * limit("event_heartbeat_ms"), side);
  }
  assert.ok(ms(/timeout tunnel (\d+)([sm])$/m) > 3 * limit("heartbeat_interval_ms"));
  const [, fall] = /inter 1s fall (\d) rise/.exec(configuration);
  assert.ok(ms(/--drain-delay (\d+)([sm])$/m) > (Number(fall) + 1) * ms(/ inter (\d+)([sm]) /));
  const servers = [...configuration.matchAll(/^ +(server .*)$/gm)].map(([, line]) => line);
  assert.equal(servers.length, 4);
  assert.deepEqual(servers.slice(0, 2), servers.slice(2), "both backends have the same servers at the same places");
});

test("what is about one document goes to one server, which another one replaces", { timeout: 120_000 }, async (t) => {
  const postgres = await Postgres.start(t);
  const servers = [];
  for (let i = 0; i < 2; ++i) servers.push(await Server.start(t, { database: postgres.url() }));
  const proxy = await Proxy.start(t, servers.map(({ port }) => port));

  const ids = [];
  for (let i = 0; i < 16; ++i) {
    const created = await proxy.fetch("/api/v1/documents", { method: "POST", json: { title: `${i}.txt` } });
    assert.equal(created.status, 201, created.body);
    ids.push(JSON.parse(created.body).document_id);
  }
  const about = (id) => [`/api/v1/documents/${id}/text`, `/api/v1/documents/${id.toUpperCase()}/versions?limit=2`,
    `/api/v1/documents/${id}`, `/document/${id}`];
  const sockets = [];
  for (const id of [...ids, ...ids]) {
    sockets.push(await proxy.join(id));
    for (const path of about(id)) assert.equal((await proxy.fetch(path)).status, 200, path);
  }

  // The servers' own word.
  const sessions = await Promise.all(servers.map((server) => gauge(server, "weft_sessions")));
  const open = await Promise.all(servers.map((server) => gauge(server, "weft_documents_open")));
  assert.equal(sessions[0] + sessions[1], 32);
  assert.ok(open[0] > 0 && open[1] > 0, `both have some: ${open}`);
  assert.equal(open[0] + open[1], 16, "no document is open on both");
  assert.deepEqual(sessions, open.map((count) => 2 * count));

  // The proxy's: a line for a session comes at its end.
  for (const socket of sockets) socket.close();
  await Promise.all(sockets.map((socket) => once(socket, "close")));
  const taken = [];
  await until("a line for each session", () => {
    taken.push(...proxy.taken());
    return taken.filter(({ path }) => path.endsWith("/ws")).length === 32;
  });
  const place = new Map(ids.map((id) => {
    const lines = taken.filter(({ path }) => path.toLowerCase().includes(id));
    assert.equal(lines.length, 2 * (1 + about(id).length));
    const places = new Set(lines.map(({ server }) => server));
    assert.equal(places.size, 1, `${id}: ${[...places]}`);
    return [id, [...places][0]];
  }));
  const lists = taken.filter(({ method, path }) => method === "POST" && path === "/api/v1/documents");
  assert.deepEqual(new Set(lists.map(({ server }) => server)), new Set(["weft-1", "weft-2"]));

  // A killed server's documents are at the other's with the next request, the others stay, and all return.
  const where = async () => {
    proxy.taken();
    for (const id of ids) assert.equal((await proxy.fetch(`/api/v1/documents/${id}/text`)).status, 200);
    const lines = [];
    await until("a line for each request", () => {
      lines.push(...proxy.taken());
      return lines.length === ids.length;
    });
    return new Map(ids.map((id) => [id, lines.find(({ path }) => path.includes(id)).server]));
  };
  await servers[0].kill();
  assert.deepEqual([...(await where()).values()], ids.map(() => "weft-2"));
  await Server.start(t, { database: postgres.url(), port: servers[0].port });
  await until("all are where they were", async () => {
    const now = await where();
    return ids.every((id) => now.get(id) === place.get(id));
  });
});

test("without the database, open documents are still shown", { timeout: 60_000 }, async (t) => {
  const postgres = await Postgres.start(t);
  const servers = [];
  for (let i = 0; i < 2; ++i) servers.push(await Server.start(t, { database: postgres.url() }));
  const proxy = await Proxy.start(t, servers.map(({ port }) => port));
  const json = { title: "shown.txt", content: "still here" };
  const id = JSON.parse((await proxy.fetch("/api/v1/documents", { method: "POST", json })).body).document_id;
  const socket = await proxy.join(id);
  t.after(() => socket.terminate());
  await postgres.stop("SIGQUIT");
  await until("nobody is ready", async () =>
    (await Promise.all(servers.map(({ origin }) => fetch(`${origin}/readyz`)))).every(({ status }) => status === 503));
  // HAProxy sees one of them go before the other: in between it asks the one that seems to be left.
  const shown = async () => {
    const { status, body } = await proxy.fetch(`/api/v1/documents/${id}/text`, { headers: { Accept: "text/plain" } });
    return status === 200 && body === "still here";
  };
  const begin = Date.now();
  await until("it has seen both go", async () => (await shown()) && Date.now() - begin > 3_000);
  for (const end = Date.now() + 2_000; Date.now() < end; await sleep(100)) assert.ok(await shown());
  assert.equal(socket.readyState, socket.OPEN);
});

test("what is internal stays so, and nobody chooses an address", { timeout: 60_000 }, async (t) => {
  const seen = [];
  const server = createServer((asked, answer) => {
    seen.push(asked);
    answer.end("reached");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const proxy = await Proxy.start(t, [server.address().port, server.address().port]);
  for (const path of ["/metrics", "/metrics/", "/metrics?x=1", "/%6detrics", "/METRICS", "/api/v1/replicas",
    "/api/v1/replicas/", "/api/v1/%72eplicas", `https://localhost:${proxy.port}/metrics`]) {
    const answer = await proxy.fetch(path);
    assert.equal(answer.status, 404, path);
    assert.doesNotMatch(answer.body, /reached/, path);
  }
  assert.deepEqual(seen.map(({ url }) => url).filter((url) => /metrics|replicas/i.test(decodeURIComponent(url))), []);

  const id = randomUUID();
  const answer = await proxy.fetch(`/document/${id}`, { headers: { "X-Forwarded-For": ["192.0.2.1", "192.0.2.2, 192.0.2.3"] } });
  assert.equal(answer.body, "reached");
  assert.equal(answer.headers["strict-transport-security"], "max-age=31536000");
  const { rawHeaders } = seen.at(-1);
  const addresses = rawHeaders.filter((_, at) => rawHeaders[at - 1]?.toLowerCase() === "x-forwarded-for" && at % 2 === 1);
  assert.deepEqual(addresses, ["127.0.0.1"]);
  assert.ok(seen.some(({ url, headers }) => url === "/readyz" && headers.host === "localhost"), "it is asked for its health");

  const moved = await proxy.fetch(`/document/${id}?x=1`, { tls: false });
  assert.equal(moved.status, 308);
  assert.equal(moved.headers.location, `https://localhost:${proxy.port}/document/${id}?x=1`);
});
