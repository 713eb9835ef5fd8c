// Requests that are wrong, too large, too slow or not HTTP at all: each is refused with a clear
// answer, and the server goes on.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { exchange, statuses } from "../../support-js/raw_http.mjs";
import { Server, assertProblem } from "../../support-js/server.mjs";

const post = (body, headers = "") =>
  `POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${Buffer.byteLength(body, "latin1")}\r\n${headers}\r\n${body}`;
const get = (path, headers = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;

test("bad bodies are refused and create nothing", async (t) => {
  const server = await Server.start(t);
  const quoted = (text) => `{"title":"x","content":"${text}"}`;
  for (const [body, code] of [
    ["", "bad_json"],
    ["{", "bad_json"],
    ['{"title":"x"} extra', "bad_json"],
    ["[]", "bad_json"],
    ['"title"', "bad_json"],
    ["{'title':'x'}", "bad_json"],
    ['{"title":"x",}', "bad_json"],
    ["[".repeat(100_000), "bad_json"],
    ['{"title":' + '{"a":'.repeat(5000) + "1" + "}".repeat(5001), "bad_json"],
    ["{}", "missing_field"],
    ['{"content":"x"}', "missing_field"],
    ['{"title":7}', "bad_field"],
    ['{"title":null}', "bad_field"],
    ['{"title":"x","content":["y"]}', "bad_field"],
    ['{"title":"x","text":"y"}', "unknown_field"],
    ['{"title":""}', "bad_title"],
    ['{"title":" \\t\\n "}', "bad_title"],
    ['{"title":"a\\nb"}', "bad_title"],
    [`{"title":"${"x".repeat(257)}"}`, "bad_title"],
    [quoted("\\ud800"), "bad_text"],
    [quoted("\\udc00"), "bad_text"],
    [quoted("\\ud83dx"), "bad_text"],
    [quoted("\\ud800\\ud800"), "bad_text"],
    [quoted("a\\u0000b"), "bad_text"],
    ['{"title":"a\\u0000b"}', "bad_text"],
    [Buffer.from(quoted("\xff"), "latin1"), "bad_text"],
    [Buffer.from(quoted("\xed\xa0\x80"), "latin1"), "bad_text"],
    [Buffer.from(quoted("\xc0\x80"), "latin1"), "bad_text"],
    [Buffer.from(quoted("\xf4\x90\x80\x80"), "latin1"), "bad_text"],
    [Buffer.from(quoted("\0"), "latin1"), "bad_text"],
  ]) {
    await assertProblem(await server.post(body), 400, code);
  }
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
    await assertProblem(
      await server.post({ title: "x" }, { "Content-Type": type }),
      415,
      "json_required",
    );
  }
  const list = await (await server.fetch("/api/v1/documents")).json();
  assert.deepEqual(list.documents, []);
});

test("a proper surrogate pair is one character", async (t) => {
  const server = await Server.start(t);
  const response = await server.post('{"title":"x","content":"\\ud83d\\ude00"}');
  const { document_id: id, sum_total: total } = await response.json();
  assert.equal(total, 1);
  assert.equal(await server.text(id), "😀");
});

test("limits on size", async (t) => {
  const server = await Server.start(t);
  const large = "x".repeat(8 * 1024 * 1024);
  await assertProblem(await server.post({ title: "x", content: large }), 413, "body_too_large");
  const announced =
    "POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n";
  assert.deepEqual(statuses(await exchange(server.port, announced)), [413]);
  const chunk = "100000\r\n" + "x".repeat(0x100000) + "\r\n";
  const chunked = await exchange(server.port, [
    "POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    chunk.repeat(9),
    "0\r\n\r\n",
  ]);
  assert.deepEqual(statuses(chunked), [413]);
  assert.deepEqual(
    statuses(await exchange(server.port, get("/healthz", `X: ${"x".repeat(17_000)}\r\n`))),
    [431],
  );
  assert.deepEqual(statuses(await exchange(server.port, get("/" + "a".repeat(5000)))), [414]);

  const just = "x".repeat(8 * 1024 * 1024 - 100);
  assert.equal(await server.text(await server.create("just fits", just)), just);
});

test("what is not HTTP", async (t) => {
  const server = await Server.start(t);
  for (const [bytes, status] of [
    ["hello\r\n\r\n", 400],
    ["GET / HTTP/9.9\r\n\r\n", 505],
    ["GET  / HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost localhost\r\n\r\n", 400],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["GET / HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400],
    ["GET localhost HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400],
    [
      "POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n" +
        "Content-Length: 2\r\n\r\nxx",
      400,
    ],
    [
      "POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n" +
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
  ]) {
    const answer = await exchange(server.port, bytes, { end: true });
    assert.deepEqual(statuses(answer), [status], JSON.stringify(bytes) + " → " + answer);
    assert.match(answer, /\r\nConnection: close\r\n/);
  }
  const long = (method) => exchange(server.port, `${method} /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(17_000)}\r\n\r\n`);
  assert.match(await long("GET"), /^HTTP\/1.1 431 (.|\r\n)*\r\n\r\n\{/);
  assert.match(await long("HEAD"), /^HTTP\/1.1 431 (.|\r\n)*\r\n\r\n$/, "HEAD is answered without content, even when it is refused");
  await exchange(server.port, "", { end: true });
  assert.equal((await server.fetch("/healthz")).status, 200);
});

test("only loopback hosts and origins are served", async (t) => {
  const server = await Server.start(t);
  const asked = async (host, origin) => {
    const line = origin === undefined ? "" : `Origin: ${origin}\r\n`;
    const request =
      `GET /api/v1/documents HTTP/1.1\r\nHost: ${host}\r\n` + `${line}Connection: close\r\n\r\n`;
    return statuses(await exchange(server.port, request))[0];
  };
  for (const host of [
    "localhost",
    "LOCALHOST:1",
    "127.0.0.1:8080",
    "127.3.2.1",
    "[::1]:9",
    "x.localhost",
  ]) {
    assert.equal(await asked(host), 200, host);
  }
  for (const host of [
    "evil.example",
    "localhost.evil.example",
    "10.0.0.1",
    "127.0.0.1.nip.io",
    "localhostx",
    "[::2]",
    "0.0.0.0",
  ]) {
    assert.equal(await asked(host), 403, host);
  }
  for (const host of ["", "localhost:99999", "localhost:x", "evil@localhost", "[::1"]) {
    assert.equal(await asked(host), 400, host);
  }
  for (const origin of ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"]) {
    assert.equal(await asked("localhost", origin), 200, origin);
  }
  for (const origin of [
    "null",
    "http://evil.example",
    "https://localhost.evil.example",
    "file://",
    "http://localhost@evil.example",
  ]) {
    assert.equal(await asked("localhost", origin), 403, origin);
  }
  const absolute =
    "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  assert.deepEqual(statuses(await exchange(server.port, absolute)), [403]);
});

test("keep-alive, pipelining, Connection: close, HTTP/1.0", async (t) => {
  const server = await Server.start(t);
  const three = get("/healthz") + get("/nothing") + get("/healthz", "Connection: close\r\n");
  assert.deepEqual(statuses(await exchange(server.port, three)), [200, 404, 200]);
  const old = "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n";
  assert.deepEqual(statuses(await exchange(server.port, old)), [200]);
  const kept = "GET /healthz HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n";
  assert.match(
    await exchange(server.port, kept + old),
    /Connection: keep-alive(.|\s)*Connection: close/,
  );
  assert.deepEqual(
    statuses(
      await exchange(server.port, post("[]") + post('{"title":"x"}', "Connection: close\r\n")),
    ),
    [400, 201],
  );
});

test("Expect", async (t) => {
  const server = await Server.start(t);
  const body = '{"title":"x"}';
  const head =
    `POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\nConnection: close\r\n`;
  const socket = connect(server.port, "127.0.0.1");
  let answer = "";
  socket.on("data", (text) => {
    answer += text;
    if (answer === "HTTP/1.1 100 Continue\r\n\r\n") socket.write(body);
  });
  socket.write(`${head}Expect: 100-continue\r\n\r\n`);
  await new Promise((resolve) => socket.on("close", resolve));
  assert.deepEqual(statuses(answer), [100, 201]);
  const unknown = await exchange(server.port, `${head}Expect: the-moon\r\n\r\n${body}`);
  assert.deepEqual(statuses(unknown), [417]);
});

test("a request id is taken over when it is harmless", async (t) => {
  const server = await Server.start(t);
  const given = await server.fetch("/healthz", { headers: { "X-Request-Id": "trace-1.a_B" } });
  assert.equal(given.headers.get("x-request-id"), "trace-1.a_B");
  for (const bad of ["a b", "x".repeat(65), 'a"b']) {
    const made = await server.fetch("/healthz", { headers: { "X-Request-Id": bad } });
    assert.match(made.headers.get("x-request-id"), /^[0-9a-f]{16}$/);
  }
});

test("random bytes do not disturb anybody", async (t) => {
  const server = await Server.start(t);
  let seed = 0x5eed;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  const valid = Buffer.from(post('{"title":"x"}', "Connection: close\r\n"), "latin1");
  await Promise.all(
    Array.from({ length: 200 }, async () => {
      const bytes = Buffer.from(valid);
      for (let i = 0; i < 3; ++i)
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      await exchange(server.port, bytes.subarray(0, Math.floor(random() * bytes.length) + 1), {
        end: true,
        timeoutMs: 3_000,
      });
    }),
  );
  assert.equal((await server.fetch("/healthz")).status, 200);
});
