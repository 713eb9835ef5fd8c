// TLS in the program itself: everything that works in the clear works through it, what is not TLS is turned away, a
// renewed certificate is taken, and files that do not fit are named before anything is served.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as tlsConnect } from "node:tls";
import { makeCertificate } from "../../support-js/certificate.mjs";
import { limits } from "../../support-js/limits.mjs";
import { Close, encodePush } from "../../support-js/protocol.mjs";
import { binary, freshDirectory, runWeft, Server } from "../../support-js/server.mjs";
import { TestSocket } from "../../support-js/socket.mjs";

function weftToken(...args) {
  const { status, stdout, stderr } = spawnSync(binary, ["token", ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

async function encrypted(t) {
  const directory = freshDirectory(t);
  const files = makeCertificate(directory, "first");
  const key = join(directory, "token.key");
  weftToken("--new-key", "es256", "--out", key);
  const server = await Server.start(t, {
    args: ["--key", key, "--threads", "2", "--tls-certificate", files.certificate, "--tls-key", files.key],
  });
  const token = weftToken("--key", key, "--user", "ann");
  const admin = weftToken("--key", key, "--user", "ops", "--program", "--admin");
  /** The status and the body of an answer. */
  const ask = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const asked = request(server.origin + path, {
        method, ca: files.ca, agent: false,
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...headers },
      }, async (answer) => {
        const pieces = [];
        try {
          for await (const piece of answer) pieces.push(piece);
          resolve({ status: answer.statusCode, body: Buffer.concat(pieces).toString() });
        } catch (error) {
          reject(error);
        }
      });
      asked.on("error", reject);
      asked.end(body);
    });
  return { server, directory, files, token, admin, ask };
}

/** How often a handshake has failed. */
async function failures(ask) {
  const { body } = await ask("GET", "/metrics");
  return Number(/^weft_tls_handshakes_failed_total (\d+)$/m.exec(body)[1]);
}

/** The name of the certificate that is shown. */
async function shown(server) {
  const socket = tlsConnect({ port: server.port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

test("requests, events and sessions over TLS", async (t) => {
  const { server, files, token, admin, ask } = await encrypted(t);
  assert.match(server.origin, /^https:/);
  const known = await ask("GET", "/api/v1/replicas", undefined, { Authorization: `Bearer ${admin}` });
  assert.match(JSON.parse(known.body).replicas[0].url, /^https:/);
  const content = "a line of text\n".repeat(200_000);
  const made = await ask("POST", "/api/v1/documents", JSON.stringify({ title: "x", content }));
  assert.equal(made.status, 201, made.body);
  const { document_id: id } = JSON.parse(made.body);
  const path = `/api/v1/documents/${id}`;
  assert.equal((await ask("GET", `${path}/text`, undefined, { Accept: "text/plain" })).body, content);
  assert.equal((await ask("POST", "/api/v1/documents", "x".repeat((8 << 20) + 1))).status, 413, "and the answer arrives");

  const events = request(`${server.origin}${path}/events`, { ca: files.ca, headers: { Authorization: `Bearer ${token}` } });
  events.end();
  const [stream] = await once(events, "response");
  let heard = "";
  stream.on("data", (piece) => (heard += piece));
  stream.on("error", () => {});
  // On either loop: sessions move to that of their document.
  const other = JSON.parse((await ask("POST", "/api/v1/documents", '{"title":"y"}')).body).document_id;
  const sockets = [];
  for (const document of [id, id, other]) {
    const socket = new TestSocket(server, document, { ca: files.ca });
    sockets.push({ socket, ...(await socket.join({ token })) });
  }
  const [{ socket: author, ssn, sid, lastIndex }, { socket: reader }] = sockets;
  author.ws.send(encodePush(lastIndex, [
    { kind: "insert", len: 1, ssn, sum: content.length + 1, sid, seq: 1, ref: { sid: 0, seq: 0 }, text: "!" },
  ]));
  await author.next("ack");
  await reader.next("operations");
  for (const deadline = Date.now() + 5_000; !/"insert":"!"/.test(heard) && Date.now() < deadline;) await sleep(20);
  assert.match(heard, /"insert":"!"/);

  const ended = server.end();
  for (const { socket } of sockets) assert.equal((await socket.closed).code, Close.restart);
  assert.deepEqual(await ended, { code: 0, signal: null });
});

test("what does not speak TLS is turned away, and gives its place back", async (t) => {
  const { server, ask } = await encrypted(t);
  const plain = connect(server.port, "127.0.0.1");
  plain.on("error", () => {});
  plain.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  let answer = "";
  plain.on("data", (bytes) => (answer += bytes.toString("latin1")));
  await once(plain, "close");
  assert.doesNotMatch(answer, /HTTP/);
  const old = tlsConnect({
    port: server.port, host: "127.0.0.1", rejectUnauthorized: false, minVersion: "TLSv1", maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  });
  await assert.rejects(once(old, "secureConnect"));
  assert.equal(await failures(ask), 2);

  // Half a handshake is waited for so long, and no longer.
  const { tls_handshake_timeout_ms } = limits;
  const started = Date.now();
  const half = connect(server.port, "127.0.0.1");
  half.on("error", () => {});
  half.write(Buffer.from("160301", "hex"));
  half.resume();
  await once(half, "close");
  const took = Date.now() - started;
  assert.ok(took > tls_handshake_timeout_ms - 1_000 && took < tls_handshake_timeout_ms + 5_000, `${took} ms`);
  assert.equal(await failures(ask), 3);
  const { body } = await ask("GET", "/metrics");
  assert.ok(Number(/^weft_connections (\d+)$/m.exec(body)[1]) <= 2, "those who are gone have no place any more");
});

test("a renewed certificate is taken without a restart, and one that is no good is not", { timeout: 60_000 }, async (t) => {
  const { server, directory, files } = await encrypted(t);
  assert.equal(await shown(server), "first");
  const wait = async (holds) => {
    for (const deadline = Date.now() + 25_000; !(await holds()); await sleep(250)) assert.ok(Date.now() < deadline);
  };
  writeFileSync(files.certificate, "no certificate\n");
  await wait(async () => (await shown(server), /error tls_certificate/.test(server.stderr)));
  assert.equal(await shown(server), "first");
  const second = makeCertificate(directory, "second");
  copyFileSync(second.key, files.key);
  copyFileSync(second.certificate, files.certificate);
  await wait(async () => (await shown(server)) === "second");
});

test("files that do not fit are named, and nothing is served", async (t) => {
  const directory = freshDirectory(t);
  const [one, two] = ["one", "two"].map((name) => makeCertificate(directory, name));
  const key = join(directory, "token.key");
  weftToken("--new-key", "hs256", "--out", key);
  const locked = join(directory, "locked.key");
  const lock = spawnSync("openssl", ["pkey", "-in", one.key, "-aes256", "-passout", "pass:x", "-out", locked]);
  assert.equal(lock.status, 0);
  const tls = (certificate, itsKey) => ["--tls-certificate", certificate, "--tls-key", itsKey];
  for (const [args, message] of [
    [tls(one.certificate, two.key), /two\.key/],
    [tls(one.certificate, locked), /locked\.key/],
    [tls(join(directory, "none.pem"), one.key), /none\.pem/],
    [tls(one.key, one.key), /one\.key/],
    [["--tls-certificate", one.certificate], /--tls-certificate and --tls-key/],
    [["--tls-key", one.key], /--tls-certificate and --tls-key/],
  ]) {
    for (const command of [["config", "check"], ["serve"]]) {
      const result = await runWeft([...command, "--data", directory, "--listen", "127.0.0.1:0", "--key", key, ...args]);
      assert.equal(result.code, 2, `${args}: ${result.stderr}`);
      assert.match(result.stderr, message);
    }
  }
  // With it, and with keys, strangers may come.
  const everywhere = ["config", "check", "--data", directory, "--listen", "0.0.0.0:8443"];
  assert.equal((await runWeft([...everywhere, "--key", key, ...tls(one.certificate, one.key)])).code, 0);
  const open = await runWeft([...everywhere, ...tls(one.certificate, one.key)]);
  assert.equal(open.code, 2);
  assert.match(open.stderr, /without --key/);
});
