// HAProxy with the configuration of deploy/, on loopback, in front of servers of a test. What differs from
// the file: addresses, ports, the certificate, where the log goes, how many may connect, and that nobody
// becomes another user.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request as plain_request } from "node:http";
import { request } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { repository } from "../../house/tree.mjs";
import { decodeServerMessage, encodeHello, subprotocol } from "../../support-js/protocol.mjs";
import { freshDirectory } from "../../support-js/server.mjs";

export const configuration = readFileSync(join(repository, "deploy/haproxy.cfg"), "utf8");

/** A certificate for localhost with its key, in one file as HAProxy wants it. */
export function certificate(directory) {
  const [key, cert, both] = ["key.pem", "cert.pem", "both.pem"].map((name) => join(directory, name));
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
  { stdio: "pipe" });
  const ca = readFileSync(cert, "utf8");
  writeFileSync(both, ca + readFileSync(key, "utf8"), { mode: 0o600 });
  return { file: both, ca };
}

/** The text with every occurrence of `from` replaced; there must be `count` of them. */
export function replaced(text, from, to, count = 1) {
  const pieces = text.split(from);
  assert.equal(pieces.length - 1, count, `deploy/haproxy.cfg has ${count} times ${from}`);
  return pieces.join(to);
}

/** HAProxy's verdict on a configuration; warnings count. */
export function check(text, directory) {
  const file = join(directory, "haproxy.cfg");
  writeFileSync(file, text);
  const { error, status, stderr } = spawnSync("haproxy", ["-c", "-dW", "-f", file], { encoding: "utf8" });
  assert.equal(error, undefined, "haproxy is missing: ./dev install test");
  return { status, stderr };
}

/** Ports that were free a moment ago. */
async function free_ports(count) {
  const listeners = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(listeners.map((listener) => once(listener, "listening")));
  const ports = listeners.map((listener) => listener.address().port);
  await Promise.all(listeners.map((listener) => once(listener.close(), "close")));
  return ports;
}

export class Proxy {
  #ca;
  #child;
  #log = "";

  /** In front of two servers, given by their ports. */
  static async start(t, [first, second]) {
    const proxy = new Proxy();
    const directory = freshDirectory(t);
    const { file, ca } = certificate(directory);
    proxy.#ca = ca;
    [proxy.http_port, proxy.port] = await free_ports(2);
    let text = replaced(configuration, "/etc/haproxy/weft.pem", file);
    text = replaced(text, "    bind :80\n", `    bind 127.0.0.1:${proxy.http_port}\n`);
    text = replaced(text, "    bind :443 ", `    bind 127.0.0.1:${proxy.port} `);
    text = replaced(text, "server weft-1 10.0.1.11:8080", `server weft-1 127.0.0.1:${first}`, 2);
    text = replaced(text, "server weft-2 10.0.1.12:8080", `server weft-2 127.0.0.1:${second}`, 2);
    text = replaced(text, "    log /dev/log local0\n", "    log stdout format raw local0 info\n");
    text = replaced(text, "    chroot /var/lib/haproxy\n    user haproxy\n    group haproxy\n", "");
    text = replaced(text, "    maxconn 20000\n", "    maxconn 200\n");
    const config = join(directory, "haproxy.cfg");
    writeFileSync(config, text);
    proxy.#child = spawn("haproxy", ["-db", "-f", config], { stdio: ["ignore", "pipe", "pipe"] });
    let failed;
    proxy.#child.on("error", (error) => (failed = error));
    for (const stream of [proxy.#child.stdout, proxy.#child.stderr]) {
      stream.on("data", (piece) => (proxy.#log += piece));
    }
    t.after(() => proxy.#child.kill("SIGKILL"));
    for (const deadline = Date.now() + 10_000; ; await sleep(20)) {
      assert.equal(failed, undefined, "haproxy is missing: ./dev install test");
      assert.equal(proxy.#child.exitCode, null, proxy.#log);
      if (await proxy.fetch("/healthz").then(({ status }) => status === 200, () => false)) return proxy;
      assert.ok(Date.now() < deadline, `HAProxy answers: ${proxy.#log}`);
    }
  }

  /** {status, headers, body} of one request over TLS, with a connection of its own. */
  fetch(path, { method = "GET", headers = {}, json, tls = true } = {}) {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const options = {
      host: "127.0.0.1", servername: "localhost", ca: this.#ca, agent: false, method, path,
      port: tls ? this.port : this.http_port,
      headers: { Host: `localhost:${this.port}`, ...(body && { "Content-Type": "application/json" }), ...headers },
    };
    return new Promise((resolve, reject) => {
      const asked = (tls ? request : plain_request)(options, async (answer) => {
        try {
          let text = "";
          for await (const piece of answer.setEncoding("utf8")) text += piece;
          resolve({ status: answer.statusCode, headers: answer.headers, body: text });
        } catch (error) {
          reject(error);
        }
      });
      asked.on("error", reject);
      asked.end(body);
    });
  }

  /** A session on the document; returns when it is welcome. */
  async join(id) {
    const ws = new WebSocket(`wss://localhost:${this.port}/api/v1/documents/${id}/ws`, [subprotocol],
      { ca: this.#ca, lookup: (_, options, found) =>
        (options.all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4)) });
    ws.binaryType = "nodebuffer";
    await once(ws, "open");
    ws.send(encodeHello({ client: randomUUID() }));
    const [data] = await once(ws, "message", { signal: AbortSignal.timeout(5_000) });
    assert.equal(decodeServerMessage(data)?.kind, "welcome");
    return ws;
  }

  /** What the log says since the last call: [{server, method, path}] of what has ended. */
  taken() {
    const lines = this.#log.split("\n").slice(0, -1);
    this.#log = this.#log.slice(this.#log.lastIndexOf("\n") + 1);
    return lines.map((line) => / (?:weft|weft_without_database)\/(\S+) .*"(\S+) (\S+) HTTP/.exec(line))
      .filter(Boolean).map(([, server, method, path]) => ({ server, method, path }));
  }
}
