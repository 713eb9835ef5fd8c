// The page's files: those inside the program, and those of --web DIR.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { exchange, statuses } from "../../support-js/raw_http.mjs";
import { Server, freshDirectory } from "../../support-js/server.mjs";

const builtPage = fileURLToPath(new URL("../../../build/web/index.html", import.meta.url));

test("/ and /d/{id} are the page", async (t) => {
  const server = await Server.start(t);
  const root = await server.fetch("/");
  const body = await root.text();
  if (root.status === 503) {
    assert.match(body, /\.\/dev build/, "a program without its page says how to build it");
    assert.ok(!existsSync(builtPage), "the page is built, so it should be inside the program");
    return;
  }
  assert.equal(root.status, 200);
  assert.equal(root.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(root.headers.get("cache-control"), "no-cache");
  assert.match(root.headers.get("content-security-policy"), /default-src 'none'/);
  assert.equal(await (await server.fetch(`/d/${randomUUID()}`)).text(), body);
  const known = await server.fetch("/", { headers: { "If-None-Match": root.headers.get("etag") } });
  assert.equal(known.status, 304);

  const assets = [...body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]);
  assert.ok(assets.length > 0);
  for (const path of assets) {
    const packed = await server.fetch(path);
    assert.equal(packed.status, 200, path);
    assert.equal(packed.headers.get("cache-control"), "public, max-age=31536000, immutable", path);
    const plain = await exchange(
      server.port,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    assert.doesNotMatch(plain, /Content-Encoding/);
    const unpacked = Buffer.from(plain.slice(plain.indexOf("\r\n\r\n") + 4), "latin1");
    assert.ok(
      unpacked.equals(Buffer.from(await packed.arrayBuffer())),
      `${path}: both forms agree`,
    );
  }
});

test("--web serves a directory as it is now, and nothing outside it", async (t) => {
  const directory = join(freshDirectory(t), "web");
  mkdirSync(join(directory, "assets"), { recursive: true });
  writeFileSync(join(directory, "index.html"), "<p>one</p>");
  writeFileSync(join(directory, "assets/app-1A2B3C4D.js"), "1");
  writeFileSync(join(directory, ".hidden"), "secret");
  writeFileSync(join(directory, "../outside.txt"), "secret");
  const server = await Server.start(t, { args: ["--web", directory] });
  assert.equal(await (await server.fetch("/")).text(), "<p>one</p>");
  writeFileSync(join(directory, "index.html"), "<p>two</p>");
  assert.equal(await (await server.fetch("/")).text(), "<p>two</p>");
  const script = await server.fetch("/assets/app-1A2B3C4D.js");
  assert.equal(script.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.match(script.headers.get("cache-control"), /immutable/);
  for (const path of [
    "/.hidden",
    "/../outside.txt",
    "/assets/../../outside.txt",
    "/%2e%2e/outside.txt",
    "/assets",
    "/assets/",
    "//etc/passwd",
  ]) {
    const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    assert.deepEqual(statuses(await exchange(server.port, request)), [404], path);
  }
});
