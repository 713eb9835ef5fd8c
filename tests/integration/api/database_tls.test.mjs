// TLS to PostgreSQL, as a managed database wants it: the certificate and the name in it are checked
// against a CA of our own, and what does not fit is refused with a message that says why.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { Postgres } from "../../support-js/postgres.mjs";
import { runWeft, Server } from "../../support-js/server.mjs";

let folder;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-tls-"));
  chmodSync(folder, 0o755);
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const name of ["ours", "theirs"]) makeAuthority(name);
  makeCertificate("server", "ours", "localhost");
});

function openssl(...args) {
  execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
}

function makeAuthority(name) {
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
    "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.pem`);
}

function makeCertificate(name, authority, host) {
  openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${host}`,
    "-keyout", `${name}.key`, "-out", `${name}.csr`);
  writeFileSync(join(folder, "names"), `subjectAltName=DNS:${host}\n`);
  openssl("x509", "-req", "-in", `${name}.csr`, "-CA", `${authority}.pem`, "-CAkey", `${authority}.key`,
    "-CAcreateserial", "-days", "30", "-extfile", "names", "-out", `${name}.pem`);
  // PostgreSQL runs as another user when the tests run as root, and insists on a private key.
  if (process.getuid() === 0) execFileSync("chown", ["postgres", join(folder, `${name}.key`)]);
  chmodSync(join(folder, `${name}.key`), 0o600);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function start(t, options) {
  const port = await freePort();
  const postgres = await Postgres.start(t, { port, options: ["-c", "listen_addresses=127.0.0.1", ...options] });
  const url = (query, host = "localhost") =>
    `postgresql://weft:s3cr3t@${host}:${port}/postgres?hostaddr=127.0.0.1&${query}`;
  return { postgres, url };
}

async function assertRefused(url, why) {
  const { code, stdout, stderr } = await runWeft(["migrate", "--database-url", url]);
  assert.notEqual(code, 0, stdout);
  assert.match(stderr, why);
  assert.match(stderr, /localhost|127\.0\.0\.1/, "it names the database");
  assert.doesNotMatch(stdout + stderr, /s3cr3t/);
}

test("sslmode=verify-full with a CA of one's own", async (t) => {
  const { postgres, url } = await start(t, [
    "-c", "ssl=on", "-c", `ssl_cert_file=${join(folder, "server.pem")}`,
    "-c", `ssl_key_file=${join(folder, "server.key")}`,
  ]);
  const ours = `sslmode=verify-full&sslrootcert=${join(folder, "ours.pem")}`;
  const server = await Server.start(t, { database: url(ours) });
  const id = await server.create("over TLS", "text\n");
  assert.equal(await server.text(id), "text\n");
  const connections = postgres.query(
    "SELECT s.ssl, s.version FROM pg_stat_ssl AS s JOIN pg_stat_activity USING (pid) WHERE application_name = 'weft'",
  );
  assert.ok(connections.length >= 4, "the server's connections");
  for (const { ssl, version } of connections) {
    assert.equal(ssl, true);
    assert.match(version, /^TLSv1\.[23]$/);
  }
  await assertRefused(url(`sslmode=verify-full&sslrootcert=${join(folder, "theirs.pem")}`),
    /certificate verify failed/);
  await assertRefused(url(ours, "127.0.0.1"), /does not match host name/);
  await assertRefused(url(`sslmode=verify-full&sslrootcert=${join(folder, "nothing.pem")}`),
    /nothing\.pem/);
});

test("sslmode=require and a PostgreSQL without TLS", async (t) => {
  const { url } = await start(t, []);
  await assertRefused(url("sslmode=require"), /does not support SSL/);
});
