// Keys and access tokens for a test, made by `weft token`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { binary, freshDirectory } from "./server.mjs";

/** weft token ...: what it prints. */
export function weftToken(...args) {
  const { status, stdout, stderr } = spawnSync(binary, ["token", ...args], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** A fresh key: its file, and mint(user, ...options) that makes tokens of it. */
export function freshKey(t, algorithm = "es256") {
  const key = join(freshDirectory(t), "key");
  weftToken("--new-key", algorithm, "--out", key);
  return { key, mint: (user, ...options) => weftToken("--key", key, "--user", user, ...options) };
}

/** A token of any claims, such as an end that has passed, signed with an es256 key's file. */
export function signedToken(key, claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key: createPrivateKey(readFileSync(key)), dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}
