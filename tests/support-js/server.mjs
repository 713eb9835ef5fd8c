// A real server for a test: the program at WEFT_BIN (default build/release/weft) on a free port and
// a directory of its own, both gone afterwards.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkAnswer } from "./openapi.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const binary = process.env.WEFT_BIN ?? join(root, "build/release/weft");

/** A fresh directory, removed when the test `t` ends. */
export function freshDirectory(t) {
  const directory = mkdtempSync(join(tmpdir(), "weft-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs the program to its end. For what is expected to end by itself: killed after `timeoutMs`. */
export async function runWeft(args, { env = {}, timeoutMs = 20_000, within = [] } = {}) {
  assert.ok(existsSync(binary), `${binary} is missing: build it, or set WEFT_BIN`);
  const [program, ...rest] = [...within, binary, ...args];
  const child = spawn(program, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (text) => (output.stdout += text));
  child.stderr.on("data", (text) => (output.stderr += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  return { code, signal, ...output };
}

export class Server {
  #child;
  stdout = "";
  stderr = "";

  /**
   * `args` are added to "serve --data … --listen 127.0.0.1:0"; `database`, a URL, goes for --data;
   * `within` is a command that runs what follows it, such as nsenter; `env` is added to the environment.
   * `reached` is HOST:PORT of something that leads to it, when it cannot be reached where it listens.
   */
  static async start(t, { database, data, args = [], port = 0, within = [], env = {}, reached } = {}) {
    const server = new Server();
    server.data = data ?? (database ? undefined : freshDirectory(t));
    const store = database ? ["--database-url", database] : ["--data", server.data];
    await server.#spawn([
      ...within, binary, "serve", ...store, "--listen", `127.0.0.1:${port}`, ...args,
    ], env);
    if (reached !== undefined) [server.host, server.origin] = [reached, `http://${reached}`];
    t.after(() => server.kill());
    return server;
  }

  async #spawn([program, ...args], env) {
    assert.ok(existsSync(binary), `${binary} is missing: build it, or set WEFT_BIN`);
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    this.#child = child;
    child.stderr.on("data", (text) => (this.stderr += text));
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no URL line in 20 s")), 20_000);
      child.once("exit", (code) => {
        clearTimeout(timer);
        reject(new Error(`weft ended with ${code}: ${this.stderr}`));
      });
      child.stdout.on("data", (text) => {
        this.stdout += text;
        const line = /^Weft is at (https?:\/\/([^/]+)\/)\n/.exec(this.stdout);
        if (line === null) return;
        clearTimeout(timer);
        this.origin = line[1].slice(0, -1);
        this.host = line[2];
        this.port = Number(/:(\d+)$/.exec(line[2])[1]);
        resolve();
      });
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** Sends the signal; the exit code and the signal that ended it. */
  async end(signal = "SIGTERM") {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return { code: this.#child.exitCode, signal: this.#child.signalCode };
    }
    const closed = once(this.#child, "close");
    this.#child.kill(signal);
    const [code, by] = await closed;
    return { code, signal: by };
  }
  kill() {
    return this.end("SIGKILL");
  }

  /** As the global one, of a path; and every answer is held against the description of the API. */
  async fetch(path, options) {
    const response = await fetch(this.origin + path, options);
    await checkAnswer(options?.method ?? "GET", path, response);
    return response;
  }

  /** POST /api/v1/documents with any JSON-able body. */
  post(body, headers = {}) {
    return this.fetch("/api/v1/documents", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    });
  }

  /** The id of a new document. */
  async create(title, content) {
    const response = await this.post(content === undefined ? { title } : { title, content });
    assert.equal(response.status, 201, await response.clone().text());
    return (await response.json()).document_id;
  }

  async text(id) {
    const response = await this.fetch(`/api/v1/documents/${id}/text`, {
      headers: { Accept: "text/plain" },
    });
    assert.equal(response.status, 200);
    // Not response.text(): that drops a byte order mark, and in a document it is a character.
    return Buffer.from(await response.arrayBuffer()).toString("utf8");
  }
}

/** The answer is a problem+json of this status and code, and says who asked. */
export async function assertProblem(response, status, code) {
  const body = await response.text();
  assert.equal(response.status, status, body);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const problem = JSON.parse(body);
  assert.equal(problem.status, status);
  assert.equal(problem.code, code, body);
  assert.equal(typeof problem.title, "string");
  assert.ok(problem.detail.length > 10, "the detail says something");
  assert.equal(problem.request_id, response.headers.get("x-request-id"));
  return problem;
}
