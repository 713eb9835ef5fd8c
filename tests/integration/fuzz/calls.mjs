// Calls from the description alone: every route and method that it has, with parameters, headers and bodies that fit, or do
// not. A route that is described tomorrow is asked tomorrow. A call is plain data; requestOf() makes the request of it.
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { choice, jsonText, Known, Literal, oddText, rarely, settled } from "./values.mjs";

const verbs = ["get", "post", "put", "patch", "delete"];

export function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    verbs.filter((verb) => item[verb]).map((verb) => ({
      path, method: verb.toUpperCase(), operation: item[verb], name: `${verb.toUpperCase()} ${path}`,
      parameters: [...(item.parameters ?? []), ...(item[verb].parameters ?? [])],
    })));
}

/** Who asks: people in their roles (ann owns), a program, nobody, a void token, or whoever holds a token that was minted. */
const who = fc.constantFrom("ann", "ann", "ann", "ben", "ben", "cora", "vic", "zoe", "admin", "nobody", "forger", "minted");

/** Which document a path means: the run's own, one that the server told of, or one that must stay as it is. */
const document = choice([7, fc.constant("fresh")], [2, fc.nat(11).map((nth) => new Known("id", nth, undefined, "string"))],
  [1, fc.constantFrom("quiet 0", "quiet 1")]);

const rawPieces = fc.constantFrom(
  "..", ".", "%2e%2e", "%2E", "%2F", "a%2Fb", "%00", "%", "%zz", "%4", "%ff", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", ";a=b", "a+b", "*",
  "{id}", "\\", "\xe9", "~", "%7e", "%25%32%46", "00000000-0000-0000-0000-000000000000", "%30".repeat(36), "x".repeat(4_200),
).map((text) => new Literal(text));

const oddQueries = fc.constantFrom(
  "x=1", "limit=1&limit=2", "=", "%zz", "&&", "at=%ff", "?", "limit", "limit=", "LIMIT=1", "limit[]=1", "at=1%00", "at=+1", "cursor=%F0%9F",
  "hard=TRUE", "hard=1", "dry_run", `x=${"y".repeat(4_200)}`, `cursor=${"A".repeat(2_000)}`, "a=1&".repeat(500), "access_token=x",
);

/** What is done to a whole path. */
const twists = {
  "slash behind": (path) => `${path}/`,
  "slash twice": (path) => path.replace(/\/([^/]*)$/, "//$1"),
  "capitals": (path) => path.toUpperCase(),
  "a letter escaped": (path) => path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  "a dot segment": (path) => path.replace("/", "/./"),
  "up and down": (path) => `/x/..${path}`,
  "a parameter": (path) => `${path};v=1`,
  "a fragment": (path) => `${path}#top`,
  "absolute": (path) => `http://localhost${path}`,
  "an empty query": (path) => `${path}?`,
};

const mediaTypes = [
  "text/html", "application/jsonp", "", "multipart/form-data", "application/json; charset=utf-16", "APPLICATION/JSON",
  "application/json;", "application/merge-patch+json", "application/octet-stream", "text/plain; charset=latin1", "*/*", "json",
];

const one = (name, ...values) => values.map((value) => [[name, value]]);
/** Headers that are legal HTTP and that no route asks for, that contradict each other, or that are too much. */
const oddHeaders = fc.constantFrom(
  ...one("Accept", "text/plain", "image/png", "*/*", "text/event-stream", ";", "", "text/*;q=0.5, application/json;q=0", "*/*;q=0",
    "application/json;q=9", "application/octet-stream", `${"a/b,".repeat(500)}*/*`),
  [["Accept", "text/plain"], ["Accept", "application/json;q=0.1"]],
  ...one("If-Match", "*", '"0"', 'W/"1"', '"0", "1"', '"99999999999999999999999"', "1", '""', '"-1"', ", ,", '"1', `"${"1".repeat(5_000)}"`),
  [["If-Match", '"0"'], ["If-Match", '"1"']], [["If-Match", "*"], ["If-None-Match", "*"]],
  ...one("If-None-Match", "*", 'W/"1"', '"0","1"', "", '"', "W/"),
  ...one("Idempotency-Key", "again", "", " ", "\xe9", "k".repeat(255), "k".repeat(256), '"quoted"', "a\tb"),
  [["Idempotency-Key", "a"], ["Idempotency-Key", "b"]],
  ...one("Authorization", "", "Bearer", "Bearer ", "Bearer a b", "bearer x", "Basic eDp5", "Bearer " + "a".repeat(5_000)),
  [["Authorization", "Bearer a"], ["Authorization", "Bearer b"]],
  ...one("Content-Encoding", "gzip", "br, gzip", "identity", ""), ...one("Accept-Encoding", "gzip;q=0, *", "identity;q=0", "x"),
  ...one("Range", "bytes=0-0", "bytes=9-1", "lines=1"), ...one("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", "never"),
  ...one("Origin", "null", "http://evil.example", "http://localhost", ""), ...one("Host", "evil.example", "localhost", "[::1]:1", "a b", ""),
  ...one("Expect", "100-continue", "the-moon"), ...one("Connection", "close", "keep-alive, X", "Upgrade"),
  ...one("Last-Event-ID", "0", "9".repeat(30), "x"), ...one("X-Request-Id", "mine", "a b", "x".repeat(65)),
  ...one("Weft-Client", "x", ""), ...one("Weft-Base", "-1", "1e3", "9".repeat(20)), ...one("X-HTTP-Method-Override", "DELETE"),
  [["Upgrade", "websocket"], ["Connection", "Upgrade"]],
  [["Upgrade", "websocket"], ["Connection", "Upgrade"], ["Sec-WebSocket-Version", "13"], ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ["Sec-WebSocket-Protocol", "weft.v1"]],
  [["Upgrade", "h2c"], ["Connection", "Upgrade, HTTP2-Settings"], ["HTTP2-Settings", "AAMAAABk"]],
  [["Access-Control-Request-Method", "PUT"], ["Origin", "http://localhost"]],
  ...one("X", "x".repeat(12_000), "x".repeat(17_000)), Array.from({ length: 300 }, (_, n) => [`X-${n}`, "x"]),
);

/** No JSON any more, or hardly; `n` says how much of it, or where. */
const spoilings = {
  "cut off": (text, n) => text.slice(0, n % (text.length + 1)),
  "twice": (text) => text + text,
  "open arrays": (_, n) => "[".repeat(depth(n)),
  "deep objects": (_, n) => `${'{"a":'.repeat(depth(n))}1${"}".repeat(depth(n))}`,
  "half a surrogate pair": (text) => text.replace(/"/, '"\\ud800'),
  "a NUL": (text) => text.replace(/"/, '"\u0000'),
  "no UTF-8": (text) => Buffer.concat([Buffer.from(text.slice(0, 2)), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from(text.slice(2))]),
  "a surrogate in UTF-8": (text) => Buffer.from(text.replace(/"/, '"\xed\xa0\x80'), "latin1"),
  "a key twice": (text) => text.replace(/"([^"]*)"/, '"$1":1,"$1"'),
  "byte order mark": (text) => `\ufeff${text}`,
  "UTF-16": (text) => Buffer.from(`\ufeff${text}`, "utf16le"),
  "gzip": (text) => gzipSync(text),
  "a comment": (text) => `/* ${text} */ ${text}`,
  "white space": (text, n) => " \t\r\n".repeat(n) + text + "\v",
  "empty": () => "",
  "random bytes": (text, n) => Buffer.from(text).map((byte, place) => (place * 7 + n) % 5 === 0 ? byte ^ (n & 0xff) : byte),
  "large": (_, n) => Buffer.alloc(n % 11 === 10 ? (8 << 20) + 1 : 70_000, "x"),
};
const depth = (n) => [7, 8, 9, 60, 1_000, 100_000][n % 6];
const spoiling = fc.record({ how: fc.constantFrom(...Object.keys(spoilings)), n: fc.nat(1_000) }, { noNullPrototype: true });

/** Calls of one of operationsOf(), with `values` for its schemas. */
function callOf({ name, path, method, operation, parameters }, values) {
  const valueOf = ({ name: of, schema = {}, in: where }, broken) => choice(
    [10 - broken, values.fitting(schema, of)], [broken, values.broken(schema)], ...(where === "path" ? [[1, rawPieces]] : []));
  const given = (where, broken) => fc.tuple(...parameters.filter((parameter) => parameter.in === where).map((parameter) => {
    const value = parameter.name === "id" ? choice([14, document], [1, valueOf(parameter, 5)]) : valueOf(parameter, broken);
    const sent = parameter.required || where === "path" ? value : choice([1, fc.constant(undefined)], [1, value]);
    return sent.map((of) => [parameter.name, of]);
  }));
  const media = operation.requestBody?.content ?? {};
  const body = (type, schema = {}) => fc.record({
    type: choice([19, fc.constant(type)], [1, fc.constantFrom(...mediaTypes)]),
    raw: fc.constant(!/json/.test(type)),
    value: choice([13, values.fitting(schema)], [7, /json/.test(type) ? values.bent(schema) : oddText]),
    spoilt: rarely(7, spoiling),
    chunked: rarely(10, fc.constant(true)),
  }, { noNullPrototype: true });
  return fc.record({
    name: fc.constant(name), route: fc.constant(path), who,
    method: choice([30, fc.constant(method)],
      [1, fc.constantFrom("HEAD", "OPTIONS", "PUT", "POST", "DELETE", "PATCH", "GET", "TRACE", "PROPFIND", "BREW", "M-SEARCH")]),
    path: given("path", 2), query: given("query", 3), headers: given("header", 3),
    twist: rarely(30, fc.constantFrom(...Object.keys(twists))), oddQuery: rarely(20, oddQueries), oddHeaders: rarely(8, oddHeaders),
    body: operation.requestBody ? fc.oneof(...Object.entries(media).map(([type, { schema }]) => body(type, schema)))
      : rarely(10, body("application/json")),
  }, { noNullPrototype: true });
}

export const callsOf = (operations, values) => fc.oneof(...operations.map((operation) => callOf(operation, values)));

/** The request {method, path, headers, body, chunked} of a call, its stand-ins filled in from `pool`. */
export function requestOf({ route, method, path, query, headers, twist, oddQuery, oddHeaders: more = [], body }, pool, documents) {
  let target = route;
  for (const [name, value] of path) {
    const meant = documents[value] ?? settled(value, pool) ?? documents.fresh;
    target = target.replace(`{${name}}`, () => encoded(meant));
  }
  if (twist) target = twists[twist](target);
  const asked = query.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${encoded(settled(value, pool))}`);
  if (oddQuery) asked.push(oddQuery);
  if (asked.length > 0) target += `?${asked.join("&")}`;
  const sent = headers.filter(([, value]) => value !== undefined).map(([name, value]) => [name, headerText(settled(value, pool))]);
  const bodiless = body === undefined || ["GET", "HEAD"].includes(method);
  if (!bodiless) sent.push(["Content-Type", body.type]);
  const replaced = new Set(more.map(([name]) => name));
  return {
    method, path: target, headers: [...sent.filter(([name]) => !replaced.has(name)), ...more],
    body: bodiless ? undefined : bytesOf(body, pool), chunked: body?.chunked ?? false,
  };
}

function bytesOf({ raw, value, spoilt }, pool) {
  const plain = settled(value, pool);
  const text = raw && typeof plain === "string" ? plain : jsonText(plain);
  return Buffer.from(spoilt ? spoilings[spoilt.how](text, spoilt.n) : text);
}

/** As lone surrogates are: encodeURIComponent() would throw at them. */
function encoded(value) {
  if (value instanceof Literal) return value.text;
  const text = typeof value === "string" ? value : jsonText(value);
  return [...Buffer.from(text)].map((byte) => /[\w.~-]/.test(String.fromCharCode(byte))
    ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`).join("");
}

/** Node sends no other characters in a header. */
function headerText(value) {
  return (typeof value === "string" ? value : jsonText(value)).replace(/[^\t\x20-\x7e\x80-\xff]/g, "?");
}
