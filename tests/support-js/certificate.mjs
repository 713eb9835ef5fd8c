// Certificates for tests: their own authority, as `openssl` makes them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A new certificate for 127.0.0.1 in `directory`: the files' paths, and the certificate to trust. */
export function makeCertificate(directory, name = "tls") {
  const [certificate, key] = [join(directory, `${name}.pem`), join(directory, `${name}.key`)];
  const made = spawnSync("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate,
  ], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  return { certificate, key, ca: readFileSync(certificate, "utf8") };
}
