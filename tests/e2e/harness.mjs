// What the browser tests share: a real server on a directory of its own, Chromium, and the page's
// window.weft (web/README.md). WEFT_BIN names the server, CHROMIUM the browser.
import { chromium } from "playwright-core";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const binary = process.env.WEFT_BIN ?? join(root, "build/release/weft");

export class Server {
  #process = null;
  #store;
  #log = "";

  /** `database`: a URL, instead of a directory of its own; `replica`: its name among those of a database. */
  static async start({ database, replica = "weft" } = {}) {
    assert.ok(existsSync(binary), `${binary} is missing: build the preset release, or set WEFT_BIN`);
    const server = new Server();
    server.data = mkdtempSync(join(tmpdir(), "weft-e2e-"));
    server.#store = database ? ["--database-url", database, "--replica-id", replica] : ["--data", server.data];
    server.port = await freePort();
    server.origin = `http://127.0.0.1:${server.port}`;
    await server.up();
    return server;
  }

  /** On the same data and the same port as before. */
  async up() {
    const args = ["serve", ...this.#store, "--listen", `127.0.0.1:${this.port}`];
    const child = spawn(binary, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => (this.#log = (this.#log + text).slice(-20_000)));
    }
    for (let i = 0; i < 200; ++i) {
      if (child.exitCode !== null) break;
      try {
        if ((await fetch(`${this.origin}/healthz`)).ok) return;
      } catch {
        // not yet
      }
      await sleep(25);
    }
    throw new Error(`the server did not start:\n${this.#log}`);
  }

  /** kill -9, at once. */
  async kill() {
    const child = this.#process;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  async stop() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  async create(title, content = "") {
    const response = await fetch(`${this.origin}/api/v1/documents`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ title, content }),
    });
    assert.ok(response.ok, `creating a document answered ${response.status}`);
    return (await response.json()).document_id;
  }

  async text(id) {
    const response = await fetch(`${this.origin}/api/v1/documents/${id}/text`, {
      headers: { Accept: "text/plain" },
    });
    assert.ok(response.ok, `reading the text answered ${response.status}`);
    // response.text() would drop a byte order mark, which is a character like any other here.
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await response.arrayBuffer());
  }

  get log() {
    return this.#log;
  }
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A user of their own: a context does not share storage with others. */
export async function join_as(browser, name, colour, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 700 }, ...options });
  await context.addInitScript(
    ([name, colour]) => {
      localStorage.setItem("weft:name", name);
      localStorage.setItem("weft:colour", String(colour));
    },
    [name, colour],
  );
  const page = await context.newPage();
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(String(error)));
  page.on("console", (message) => {
    // A divergence that was mended, a crash inside the editor, something that the policy forbids.
    if (/weft: mended|plugin crashed|Content Security Policy/.test(message.text())) page.errors.push(message.text());
  });
  // "Leave, though not everything is saved?" Yes; and the page may be gone before it hears that.
  page.on("dialog", (dialog) => void dialog.accept().catch(() => {}));
  return page;
}

export async function open(page, server, id) {
  await page.goto(`${server.origin}/d/${id}`);
  await live(page);
}

export async function live(page, timeout = 20_000) {
  await page.waitForFunction(() => window.weft?.connection.state.kind === "live", null, { timeout });
}

export async function saved(page, timeout = 30_000) {
  await page.waitForFunction(
    () => window.weft?.connection.state.kind === "live" && window.weft.connection.unsaved === 0,
    null,
    { timeout },
  );
}

/** What the editor shows; fails when its core holds anything else. */
export async function shown(page) {
  const { editor, core } = await page.evaluate(() => ({
    editor: window.weft.view.state.doc.sliceString(0, undefined, "\n"),
    core: window.weft.connection.document.text(),
  }));
  assert.equal(editor, core, "the editor and its core differ");
  return editor;
}

/** Waits until all pages and the server have the same text, and answers with it. */
export async function agreement(server, id, pages, timeout = 30_000) {
  for (const page of pages) await saved(page, timeout);
  const end = Date.now() + timeout;
  for (;;) {
    const texts = [await server.text(id)];
    for (const page of pages) texts.push(await shown(page));
    if (texts.every((text) => text === texts[0])) return texts[0];
    if (Date.now() > end) assert.deepEqual(texts.slice(1), texts.slice(1).map(() => texts[0]));
    await sleep(100);
  }
}

export function count(text, token) {
  return text.split(token).length - 1;
}

/** WEFT_SEED=n replays the choices of a run (not the timing of two browsers). */
export function random_of(test) {
  const seed = Number(process.env.WEFT_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${test}: WEFT_SEED=${seed}`);
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ 0x5bd1e995) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(Number(process.env.WEFT_E2E_PORT ?? 0), "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
