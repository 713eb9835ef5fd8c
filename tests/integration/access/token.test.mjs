// `weft token` against node's own crypto: what one signs, the other must take.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  createHash, createHmac, createPublicKey, generateKeyPairSync, randomBytes, randomUUID,
  sign, timingSafeEqual, verify,
} from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { binary, freshDirectory } from "../../support-js/server.mjs";

/** Runs `weft token`; the exit code must be `code`. */
function token(args, { input = "", code = 0 } = {}) {
  const result = spawnSync(binary, ["token", ...args], { input, encoding: "utf8", timeout: 60_000 });
  assert.equal(result.status, code, `weft token ${args.join(" ")}: ${result.stdout}${result.stderr}`);
  return result;
}
const mint = (...args) => token(args).stdout.trimEnd();
const inspect = (text, ...args) => JSON.parse(token(["--inspect", ...args], { input: text }).stdout);
/** The complaint about a token that must be refused. */
const refused = (text, ...args) => {
  const { stdout, stderr } = token(["--inspect", ...args], { input: text, code: 1 });
  assert.equal(stdout, "");
  assert.ok(text.length < 20 || !stderr.includes(text.slice(0, 20)), "no token in a message");
  return stderr;
};

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const now = () => Math.floor(Date.now() / 1000);
const [header_of, claims_of] = [0, 1].map(
  (part) => (text) => JSON.parse(Buffer.from(text.split(".")[part], "base64url")),
);

/** Each algorithm as node has it. `key` is a KeyObject, or a secret's bytes. */
const algorithms = {
  HS256: {
    sign: (data, key) => createHmac("sha256", key).update(data).digest(),
    verify: (data, key, signature) => timingSafeEqual(createHmac("sha256", key).update(data).digest(), signature),
  },
  RS256: {
    sign: (data, key) => sign("sha256", data, key),
    verify: (data, key, signature) => verify("sha256", data, key, signature),
  },
  ES256: {
    sign: (data, key) => sign("sha256", data, { key, dsaEncoding: "ieee-p1363" }),
    verify: (data, key, signature) => verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, signature),
  },
  EdDSA: {
    sign: (data, key) => sign(null, data, key),
    verify: (data, key, signature) => verify(null, data, key, signature),
  },
};

function node_token(alg, key, claims, header = {}) {
  const text = `${encode({ alg, typ: "JWT", ...header })}.${encode(claims)}`;
  return `${text}.${algorithms[alg].sign(Buffer.from(text), key).toString("base64url")}`;
}
function node_verifies(text, alg, key) {
  const [header, payload, signature] = text.split(".");
  return algorithms[alg].verify(Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url"));
}

const document = randomUUID();

for (const alg of Object.keys(algorithms)) {
  test(`${alg}: a key that weft makes, a token that node verifies`, (t) => {
    const file = join(freshDirectory(t), "key");
    const { stdout, stderr } = token(["--new-key", alg.toLowerCase(), "--out", file]);
    assert.equal(stdout, "");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const text = readFileSync(file, "utf8");
    const secret = alg === "HS256";
    const key = secret ? Buffer.from(text.trim(), "base64url") : createPublicKey(text);
    if (secret) assert.equal(key.length, 32);
    if (alg === "RS256") assert.equal(key.asymmetricKeyDetails.modulusLength, 3072);

    const before = now();
    const minted = mint("--key", file, "--issuer", "me", "--audience", "weft", "--user", "ada", "--name", "Ada 👩",
      "--program", "--document", document, "--role", "editor", "--expires", "90s", "--id", "id-1");
    assert.ok(node_verifies(minted, alg, key));
    const { iat, exp, ...claims } = claims_of(minted);
    assert.ok(iat >= before && iat <= now());
    assert.equal(exp, iat + 90);
    assert.deepEqual(claims, { iss: "me", aud: "weft", sub: "ada", name: "Ada 👩", jti: "id-1", weft_kind: "program",
                               weft_doc: document, weft_role: "editor" });
    // RFC 7638, computed here: the members in this order and nothing else.
    const jwk = secret ? { k: text.trim(), kty: "oct" } : key.export({ format: "jwk" });
    const members = ["crv", "e", "k", "kty", "n", "x", "y"].filter((name) => name in jwk);
    const kid = createHash("sha256").update(JSON.stringify(jwk, members)).digest("base64url");
    assert.deepEqual(header_of(minted), { alg, typ: "JWT", kid });
    assert.ok(stderr.includes(kid));

    // The public half checks, and mints nothing.
    if (secret) return;
    const pub = `${file}.pub`;
    writeFileSync(pub, key.export({ type: "spki", format: "pem" }));
    assert.equal(inspect(minted, "--key", pub, "--issuer", "me", "--audience", "weft").verified, true);
    assert.match(token(["--key", pub, "--user", "ada"], { code: 2 }).stderr, /only public keys/);
  });
}

/** Key files as others make them: [algorithm, node's key, the file's content]. */
function foreign_keys() {
  const pair = (kind, options) => generateKeyPairSync(kind, options).privateKey;
  const rsa = pair("rsa", { modulusLength: 2048 });
  const ec = pair("ec", { namedCurve: "P-256" });
  const ed = pair("ed25519");
  const bytes = randomBytes(48);
  const text = "correct horse battery staple, every time!";
  const jwks = (key, more = {}) => JSON.stringify({ keys: [{ ...key.export({ format: "jwk" }), ...more }] });
  return {
    "RSA, PKCS #8": ["RS256", rsa, rsa.export({ type: "pkcs8", format: "pem" })],
    "RSA, PKCS #1": ["RS256", rsa, rsa.export({ type: "pkcs1", format: "pem" })],
    "RSA, a public JWK set": ["RS256", rsa, jwks(createPublicKey(rsa), { use: "sig", alg: "RS256", kid: "k" }), "k"],
    "RSA, a private JWK": ["RS256", rsa, JSON.stringify(rsa.export({ format: "jwk" }))],
    "EC, SEC 1": ["ES256", ec, ec.export({ type: "sec1", format: "pem" })],
    "EC, a private JWK set": ["ES256", ec, jwks(ec)],
    "Ed25519, public": ["EdDSA", ed, createPublicKey(ed).export({ type: "spki", format: "pem" })],
    "Ed25519, a private JWK set": ["EdDSA", ed, jwks(ed, { kid: "ed" }), "ed"],
    "secret, base64url": ["HS256", bytes, bytes.toString("base64url")],
    "secret, raw bytes": ["HS256", bytes, bytes],
    "secret, a line of text": ["HS256", Buffer.from(text), `${text}\n`],
    "secret, a JWK": ["HS256", bytes, JSON.stringify({ kty: "oct", k: bytes.toString("base64url") })],
  };
}

test("tokens that node signs are taken, changed ones are not", (t) => {
  const folder = freshDirectory(t);
  const file = join(folder, "key");
  for (const [name, [alg, key, content, kid]] of Object.entries(foreign_keys())) {
    writeFileSync(file, content);
    const claims = { sub: "ada", exp: now() + 60, aud: ["x", "weft"], custom: { a: 1 } };
    for (const header of kid === undefined ? [{}] : [{}, { kid }]) {
      const good = node_token(alg, key, claims, header);
      assert.deepEqual(inspect(`${good}\n`, "--key", file, "--audience", "weft"),
        { verified: true, header: { alg, typ: "JWT", ...header }, claims }, name);
    }
    const [header, , signature] = node_token(alg, key, claims).split(".");
    const forged = `${header}.${encode({ ...claims, sub: "root" })}.${signature}`;
    assert.match(refused(forged, "--key", file), /signature/, name);
    assert.match(refused(node_token(alg, key, claims, { kid: "other" }), "--key", file), /No key/, name);
    assert.match(refused(node_token(alg, key, { ...claims, exp: now() - 61 }), "--key", file), /ended/, name);
    assert.match(refused(node_token(alg, key, { ...claims, nbf: now() + 90 }), "--key", file), /not valid yet/, name);
    assert.match(refused(node_token(alg, key, claims), "--key", file, "--audience", "y"), /audience/, name);
    assert.match(refused(node_token(alg, key, claims), "--key", file, "--issuer", "me"), /issuer/, name);
    assert.match(refused(`${encode({ alg: "none" })}.${encode(claims)}.`, "--key", file), /No key/, name);
  }
});

test("keys can be rotated", (t) => {
  const folder = freshDirectory(t);
  const [old, fresh] = ["old", "fresh"].map((name) => join(folder, name));
  token(["--new-key", "hs256", "--out", old]);
  const before = mint("--key", old, "--user", "ada");
  token(["--new-key", "eddsa", "--out", fresh]);
  const after = mint("--key", fresh, "--key", old, "--user", "ada");
  assert.equal(header_of(after).alg, "EdDSA");
  for (const text of [before, after]) assert.ok(inspect(text, "--key", fresh, "--key", old).verified);
  assert.ok(inspect(after, "--key", fresh).verified);
  assert.match(refused(before, "--key", fresh), /No key/);
});

test("what is left out of a token, and what it gets by itself", (t) => {
  const file = join(freshDirectory(t), "key");
  token(["--new-key", "es256", "--out", file]);
  const [one, two] = [0, 1].map(() => claims_of(mint("--key", file, "--user", "ada")));
  assert.deepEqual(Object.keys(one).sort(), ["exp", "iat", "jti", "sub"]);
  assert.equal(one.exp, one.iat + 12 * 3600);
  assert.match(one.jti, /^[\w-]{22}$/);
  assert.notEqual(one.jti, two.jti);
  const admin = claims_of(mint("--key", file, "--user", "backend", "--admin", "--guest"));
  assert.equal(admin.weft_admin, true);
  assert.equal(admin.weft_kind, "guest");
  // Without a key it is shown, and not believed.
  const shown = inspect(`${encode({ alg: "none" })}.${encode({ sub: "x" })}.`);
  assert.deepEqual(shown, { verified: false, header: { alg: "none" }, claims: { sub: "x" } });
  for (const nonsense of ["", "x", "a.b.c", "é"]) assert.match(refused(nonsense), /not one/);
});

test("a key file is never overwritten, and a bad one is refused with its reason", (t) => {
  const folder = freshDirectory(t);
  const file = join(folder, "key");
  writeFileSync(file, "mine");
  assert.match(token(["--new-key", "eddsa", "--out", file], { code: 1 }).stderr, /exists/);
  assert.equal(readFileSync(file, "utf8"), "mine");
  token(["--new-key", "eddsa", "--out", join(folder, "none/key")], { code: 1 });
  const pem = (key) => key.export({ type: "pkcs8", format: "pem" });
  const bad = [
    ["mine", /4 bytes|3 bytes/],
    ["", /0 bytes/],
    [pem(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey), /1024 bits/],
    [pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey), /P-256/],
    [pem(generateKeyPairSync("x25519").privateKey), /another kind/],
    ['{"keys": []}', /no key/],
    ['{"keys": [{"kty": "EC", "crv": "P-521"}]}', /no usable key/],
  ];
  for (const [content, reason] of bad) {
    writeFileSync(file, content);
    assert.match(token(["--key", file, "--user", "ada"], { code: 2 }).stderr, reason);
  }
  assert.match(token(["--key", join(folder, "no"), "--user", "ada"], { code: 1 }).stderr, /cannot be read/);
});

test("command lines that contradict themselves are refused", (t) => {
  const folder = freshDirectory(t);
  const file = join(folder, "key");
  token(["--new-key", "hs256", "--out", file]);
  const other = join(folder, "other");
  const key = ["--key", file];
  const user = [...key, "--user", "ada"];
  const wrong = [
    [], key, ["--user", "ada"], [...user, "--role", "editor"], [...user, "--document", document],
    [...user, "--document", document, "--role", "none"], [...user, "--document", "x", "--role", "owner"],
    [...user, "--document", document, "--role", "owner", "--admin"], [...user, "--program", "--guest"],
    [...user, "--expires", "12"], [...user, "--expires", "0s"], [...user, "--inspect"], [...key, "--name", "A"],
    [...key, "--user", ""], [...key, "--user", "a\nb"], [...key, "--user", "u".repeat(129)],
    [...user, "--name", "n".repeat(65)], [...user, "--id", "j".repeat(65)], ["--new-key", "hs256"],
    ["--out", other], ["--new-key", "hs512", "--out", other], [...key, "--new-key", "hs256", "--out", other],
    ["--inspect", "--issuer", "me"],
  ];
  for (const args of wrong) {
    const { stdout, stderr } = token(args, { code: 2 });
    assert.equal(stdout, "");
    assert.match(stderr, /^weft: \S/);
  }
  assert.ok(!existsSync(other));
  const { stdout } = spawnSync(binary, ["help", "token"], { encoding: "utf8" });
  for (const option of ["--key", "--user", "--document", "--new-key", "--inspect", "--expires"]) {
    assert.ok(stdout.includes(option));
  }
});

test("the JavaScript of docs/ACCESS.md mints what it says", (t) => {
  const folder = freshDirectory(t);
  token(["--new-key", "eddsa", "--out", join(folder, "weft.key")]);
  const page = readFileSync(new URL("../../../docs/ACCESS.md", import.meta.url), "utf8");
  writeFileSync(join(folder, "mint.mjs"), /```js\n([\s\S]*?)```/.exec(page)[1]);
  const run = spawnSync(process.execPath, ["mint.mjs"], { cwd: folder, encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  const { verified, claims } = inspect(run.stdout, "--key", join(folder, "weft.key"));
  assert.ok(verified);
  assert.equal(claims.sub, "ada");
});

test("a claim that is out of its range is named, with the range", (t) => {
  const file = join(freshDirectory(t), "key");
  token(["--new-key", "hs256", "--out", file]);
  const complaint = (...args) => token(["--key", file, ...args], { code: 2 }).stderr;
  assert.match(complaint("--user", ""), /user .*1 to 128 bytes/);
  assert.match(complaint("--user", "u".repeat(129)), /user .*1 to 128 bytes/);
  assert.match(complaint("--user", "ada", "--name", "n".repeat(65)), /name .*0 to 64 bytes/);
  assert.match(complaint("--user", "ada", "--id", "j".repeat(65)), /id .*0 to 64 bytes/);
  assert.match(complaint("--user", "ada", "--name", "a\nb"), /name .*control characters/);
});
