// The REST API fuzzed from its own description: whatever is sent, in whatever order, no 5xx, no answer that is not described,
// and what nobody may touch stays as it is. A failure is shrunk to the fewest and plainest calls that still show it.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { api } from "../../support-js/openapi.mjs";
import { seedFor } from "../replay/histories.mjs";
import { callsOf, operationsOf } from "./calls.mjs";
import { judge } from "./judge.mjs";
import { Values } from "./values.mjs";
import { World } from "./world.mjs";

const total = Number(process.env.WEFT_FUZZ_REQUESTS ?? 3_000);
const longest = 30;
const usual = 13;  // calls of a sequence, on average
const limitMs = (count) => 30_000 + count * 30;

/** Plays about `count` requests of the described operations in sequences; what fast-check found. */
function fuzz(world, described, seed, count, path = "") {
  const operations = operationsOf(described);
  for (const { name } of operations) if (!world.statuses.has(name)) world.statuses.set(name, new Map());
  const calls = callsOf(operations, new Values(described.components.schemas));
  const sequences = fc.array(calls, { maxLength: longest, size: "max" });
  return fc.check(fc.asyncProperty(sequences, (sequence) => world.play(sequence)), {
    seed, path, numRuns: Math.ceil(count / usual), interruptAfterTimeLimit: limitMs(count), markInterruptAsFailure: true,
  });
}

/** The least calls that fail, and how to see them again. */
function report({ seed, counterexamplePath, numShrinks, errorInstance }) {
  return `WEFT_SEED=${seed} WEFT_FUZZ_PATH=${counterexamplePath} (shrunk ${numShrinks} times)\n${errorInstance?.message ?? "no time left"}`;
}

test("requests from the description are answered as described", { timeout: limitMs(total) + 30_000 }, async (t) => {
  const seed = seedFor(t);
  const world = await World.start(t);
  const described = await (await world.server.fetch("/openapi.json")).json();
  assert.deepEqual(Object.keys(described.paths).sort(), Object.keys(api.paths).sort(), "the judge's is the server's");
  const started = Date.now();
  const replayed = process.env.WEFT_FUZZ_PATH;
  const found = await fuzz(world, described, seed, total, replayed);
  t.diagnostic(`${world.requests} requests in ${found.numRuns} sequences, ${Date.now() - started} ms`);
  assert.ok(!found.failed, report(found));
  assert.equal((await world.server.fetch("/healthz")).status, 200);
  assert.equal((await world.server.fetch("/readyz")).status, 200);
  if (replayed) return;
  for (const [name, of] of world.statuses) {
    t.diagnostic(`${name}: ${[...of].sort(([a], [b]) => a - b).map(([status, times]) => `${status}×${times}`).join(" ")}`);
  }
  // Broken requests alone would prove little: most routes must have done their work now and then.
  const worked = [...world.statuses.values()].filter((of) => [...of.keys()].some((status) => status < 300));
  assert.ok(worked.length >= world.statuses.size * 0.75, `${worked.length} of ${world.statuses.size} routes did something`);
  const answers = [...world.statuses.values()].flatMap((of) => [...of]);
  const limited = answers.filter(([status]) => status === 429).reduce((sum, [, times]) => sum + times, 0);
  assert.ok(limited < world.requests / 3, `${limited} of ${world.requests} were turned away before their route`);
  assert.ok(world.requests > total / 2, `only ${world.requests} requests`);
});

test("the least calls that show a fault are found, in their order", { timeout: 120_000 }, async (t) => {
  const seed = seedFor(t);
  const world = await World.start(t);
  const real = world.caller;
  let renamed = "";
  world.caller = {
    close: () => real.close(),
    async send(request, token) {
      const [path] = request.path.split("?");
      const answer = await real.send(request, token);
      if (request.method === "PATCH" && !path.endsWith("/text") && answer.status === 200) renamed = path;
      return request.method === "GET" && path === `${renamed}/text` && answer.status < 300 ? { ...answer, status: 500 } : answer;
    },
  };
  const paths = Object.fromEntries(Object.entries(api.paths).filter(([path]) => /^.api.v1.documents.\{id\}(.text|.blame)?$/.test(path)));
  const found = await fuzz(world, { ...api, paths }, seed, 2_000);
  assert.ok(found.failed, "a server that cannot give the text of a renamed document");
  const [least] = found.counterexample;
  assert.deepEqual(least.map(({ name }) => name), ["PATCH /api/v1/documents/{id}", "GET /api/v1/documents/{id}/text"], report(found));
  assert.ok(least.every(({ twist, oddQuery, oddHeaders }) => !twist && !oddQuery && !oddHeaders), "and the plainest");
  const again = await fuzz(world, { ...api, paths }, found.seed, 2_000, found.counterexamplePath);
  assert.deepEqual(again.counterexample[0].map(({ name }) => name), least.map(({ name }) => name), "its seed and path replay it");
});

test("a server that does not do what is described is reported", { timeout: 120_000 }, async (t) => {
  const seed = seedFor(t);
  const world = await World.start(t);
  const { get } = api.paths["/api/v1/me"];
  const { open, ...properties } = api.components.schemas.Caller.properties;
  const ok = get.responses[200];
  t.after(() => (get.responses[200] = ok));
  const only = { ...api, paths: { "/api/v1/me": { get } } };
  get.responses[200] = { content: { "application/json": { schema: { ...api.components.schemas.Caller, properties } } } };
  const field = await fuzz(world, only, seed, 200);
  assert.match(report(field), /must NOT have additional properties/, "a field that is not described");
  assert.equal(field.counterexample[0].length, 1);
  delete get.responses[200];
  assert.match(report(await fuzz(world, only, seed, 200)), /answers 200, which is not described/, "a status that is not");
});

test("the judge finds what is wrong with an answer", () => {
  const id = "00000000-0000-4000-8000-000000000000";
  const document = { document_id: id, title: "x", version: 1, sum_total: 1, created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z", url: "/" };
  const problem = { type: "about:blank", title: "Not Found", status: 404, detail: "There is none.", code: "document_not_found", request_id: "1" };
  const asked = { method: "GET", path: `/api/v1/documents/${id}` };
  const usual = { "x-request-id": "1", "content-type": "application/json", etag: '"1"' };
  const answer = (more, body = document) => ({ status: 200, reason: "OK", headers: usual, ...more, body: JSON.stringify(body) });
  const refusal = (status, more = {}) => answer({ status, headers: { "x-request-id": "1", "content-type": "application/problem+json", ...more } }, { ...problem, status });
  const faultOf = (given, request = asked, method = request.method) => judge(request, method, given);
  for (const right of [answer({}), refusal(404), refusal(401, { "www-authenticate": "Bearer" }), refusal(429, { "retry-after": "1" })]) {
    assert.equal(faultOf(right), "");
  }
  for (const [wrong, why] of [
    [refusal(500), /answers 500/], [refusal(503, { "retry-after": "1" }), /answers 503/], [refusal(409), /409, which is not described/],
    [refusal(401), /www-authenticate/], [refusal(429), /retry-after/], [refusal(405), /allow/],
    [answer({ reason: "Unknown" }), /does not say/], [answer({ headers: { ...usual, "x-request-id": undefined } }), /X-Request-Id/],
    [answer({ headers: { ...usual, etag: "1" } }), /etag: 1/], [answer({ headers: { "x-request-id": "1", "content-type": "application/json" } }), /no etag/],
    [answer({ headers: { ...usual, "x-powered-by": "x" } }), /x-powered-by/], [answer({ headers: { ...usual, "content-type": "text/html" } }), /as text\/html/],
    [answer({}, { ...document, version: -1 }), /must be >= 0/], [answer({}, { ...document, extra: 1 }), /additional/],
    [answer({}, { ...document, document_id: "x" }), /uuid/],
  ]) {
    assert.match(faultOf(wrong), why);
  }
  assert.match(faultOf(answer({}), { method: "PUT", path: asked.path }), /not described/);
  assert.match(faultOf(answer({}), { method: "GET", path: "/api/v1/nothing" }), /not described/);
});
