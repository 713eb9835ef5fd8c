// The description of the API and the server's table of routes say the same, in both directions.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openapi } from "../../web/openapi/index.mjs";
import { repository } from "./tree.mjs";

const api = openapi("0");
const table = readFileSync(join(repository, "src/server/routes.cc"), "utf8");

/** [method, path, need] of the table in routes.cc. */
const routes = [...table.matchAll(/Route\{"([A-Z]+)",\s*"([^"]+)",\s*Operation::(\w+),\s*Need::(\w+)\}/g)]
  .map(([, method, path, operation, need]) => ({ method, path, operation, need }));

const described = Object.entries(api.paths).flatMap(([path, item]) =>
  Object.entries(item).filter(([method]) => method !== "parameters")
    .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation, item })));

const name = ({ method, path }) => `${method} ${path}`;

test("every route is described, and nothing else is", () => {
  assert.ok(routes.length > 20, "the table was found");
  assert.equal(routes.length, [...table.matchAll(/\bRoute\{/g)].length, "every row was understood");
  const files = ["GET /openapi.json"];  // answered among the page's files
  assert.deepEqual(described.map(name).sort(), [...routes.map(name), ...files].sort());
});

test("every parameter of a path is described", () => {
  for (const { path, operation, item } of described) {
    const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
    const given = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
      .filter((parameter) => parameter.in === "path").map((parameter) => parameter.name);
    assert.deepEqual(given.sort(), wanted.sort(), path);
  }
});

test("what takes a token says that it may be refused", () => {
  const needs = new Map(routes.map((route) => [name(route), route.need]));
  for (const route of described) {
    const need = needs.get(name(route)) ?? "nothing";
    const statuses = Object.keys(route.operation.responses);
    assert.equal(route.operation.security?.length === 0, need === "nothing", name(route));
    assert.equal(statuses.includes("401"), need !== "nothing", `${name(route)}: 401`);
    assert.equal(statuses.includes("404") && statuses.includes("410"), route.path.includes("{id}") && need !== "nothing",
      `${name(route)}: 404 and 410`);
  }
});

test("operations and schemas have names of their own, and every reference leads somewhere", () => {
  const ids = described.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  const used = new Set([...JSON.stringify(api).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, schema]) => schema));
  assert.deepEqual([...used].sort(), Object.keys(api.components.schemas).sort());
});
