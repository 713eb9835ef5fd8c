// Settings: flag, environment, file, default, in this order; what is wrong is said with its place.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeCertificate } from "../../support-js/certificate.mjs";
import { freshDirectory, runWeft, Server } from "../../support-js/server.mjs";

/** Nothing of the surroundings chooses for the test. */
const bare = {
  DATABASE_URL: "", DB_HOST: "", DB_PORT: "", DB_USER: "", DB_PSW: "", DB_NAME: "", WEFT_DATA: "", WEFT_DATABASE_URL: "", WEFT_LISTEN: "", WEFT_CONFIG: "",
};

function with_file(t, text) {
  const directory = freshDirectory(t);
  const file = join(directory, "weft.toml");
  writeFileSync(file, text);
  return { directory, file };
}

/** Name -> [value, source], as `weft config check` tells. */
async function check(args, env = {}) {
  const result = await runWeft(["config", "check", ...args], { env: { ...bare, ...env } });
  assert.equal(result.code, 0, result.stderr);
  const settings = new Map();
  for (const [, name, shown, source] of result.stdout.matchAll(/^(\S+) +(.*?) {2}\((.*)\)$/gm)) {
    settings.set(name, [shown, source]);
  }
  return Object.assign(settings, { output: result.stdout + result.stderr });
}

async function refused(args, message, env = {}) {
  for (const command of [["config", "check"], ["serve"]]) {
    const result = await runWeft([...command, ...args], { env: { ...bare, ...env } });
    assert.equal(result.code, 2, `${command.join(" ")} ${args.join(" ")}: ${result.stderr}`);
    assert.match(result.stderr, message);
  }
}

test("a flag beats the environment, that beats the file, that beats the default", async (t) => {
  const { file, directory } = with_file(t, 'listen = "127.0.0.1:3"\ndata = "/from/file"\naccess-log = true\n');
  const listen = async (args, env) => (await check([...args, "--data", directory], env)).get("listen");
  const flag = ["--listen", "127.0.0.1:1"];
  const env = { WEFT_LISTEN: "127.0.0.1:2" };
  const config = ["--config", file];
  assert.deepEqual(await listen([...flag, ...config], env), ["127.0.0.1:1", "flag"]);
  assert.deepEqual(await listen(config, env), ["127.0.0.1:2", "WEFT_LISTEN"]);
  assert.deepEqual(await listen(config), ["127.0.0.1:3", `${file}:1`]);
  assert.deepEqual(await listen([], { WEFT_CONFIG: file }), ["127.0.0.1:3", `${file}:1`]);
  assert.deepEqual(await listen([]), ["127.0.0.1:8080", "default"]);

  const logged = async (args, variables) => (await check([...args, "--data", directory], variables)).get("access-log");
  assert.deepEqual(await logged([]), ["false", "default"]);
  assert.deepEqual(await logged(config), ["true", `${file}:3`]);
  assert.deepEqual(await logged(config, { WEFT_ACCESS_LOG: "false" }), ["false", "WEFT_ACCESS_LOG"]);
  assert.deepEqual(await logged(["--access-log", ...config], { WEFT_ACCESS_LOG: "false" }), ["true", "flag"]);
});

test("every setting can be given in each way", async (t) => {
  const directory = freshDirectory(t);
  const values = {
    data: directory, listen: "[::1]:0", threads: "3", web: directory, "purge-after": "30d", "drain-delay": "2s",
    "drain-timeout": "9s", "log-level": "warning", "log-format": "json", "access-log": "true",
    key: join(directory, "key"), issuer: "https://app.example.org", audience: "weft", origin: "https://app.example.org",
    "behind-proxy": "true", "trusted-proxy": "10.0.0.0/8", "replica-id": "a", "ssn-id": "1", bus: "none",
  };
  assert.equal((await runWeft(["token", "--new-key", "hs256", "--out", values.key])).code, 0);
  const { certificate, key } = makeCertificate(directory);
  Object.assign(values, { "tls-certificate": certificate, "tls-key": key });
  const defaults = await runWeft(["config", "show-defaults"]);
  const known = [...defaults.stdout.matchAll(/^#([a-z-]+) = /gm)].map(([, name]) => name);
  assert.deepEqual(known.sort(), [...Object.keys(values), "database-url"].sort());
  const variable = (name) => `WEFT_${name.toUpperCase().replaceAll("-", "_")}`;
  const env = Object.fromEntries(Object.entries(values).map(([name, value]) => [variable(name), value]));
  const { file } = with_file(t, Object.entries(values).map(([name, value]) => `${name} = "${value}"\n`).join(""));
  const flags = Object.entries(values).map(([name, value]) => `--${name}=${value}`);
  for (const settings of [await check([], env), await check(["--config", file]), await check(flags)]) {
    for (const [name, value] of Object.entries(values)) assert.equal(settings.get(name)[0], value, name);
  }
});

test("the settings are what the server uses", async (t) => {
  const { file } = with_file(t, 'log-format = "json"\nlog-level = "error"\n');
  const server = await Server.start(t, { args: ["--config", file, "--log-level", "info"] });
  await server.end();
  assert.equal(JSON.parse(server.stderr.split("\n")[0]).event, "serving");
});

test("the place of the documents is one question", async (t) => {
  const { file, directory } = with_file(t, 'data = "/from/file"\n');
  const where = async (args, env) => /^documents in (.*)$/m.exec((await check(args, env)).output)[1];
  const config = ["--config", file];
  const url = "postgresql://me:s3cr3t@db.example/weft";
  const database = /^PostgreSQL.*db\.example|db\.example/;
  assert.equal(await where(config), "/from/file");
  assert.match(await where(config, { WEFT_DATABASE_URL: url }), database);
  assert.match(await where(config, { DATABASE_URL: url }), database);
  assert.match(await where(config, { DB_HOST: "db.example", DB_USER: "me", DB_NAME: "weft" }), database);
  assert.equal(await where(config, { DATABASE_URL: url, WEFT_DATA: directory }), directory);
  assert.equal(await where([...config, "--data", directory], { WEFT_DATABASE_URL: url }), directory);
  assert.match(await where([...config, "--database-url", url], { WEFT_DATA: directory }), database);
  await refused([], /not both/, { WEFT_DATA: directory, WEFT_DATABASE_URL: url });
  for (const alone of ["DB_PORT", "DB_USER", "DB_PSW", "DB_NAME"]) {
    await refused([], /DB_HOST is not/, { [alone]: "5" });
    assert.equal(await where(["--data", directory], { [alone]: "5" }), directory);
  }
  await refused([], /port is a number from 1 to 65535, not "five"/, { DB_HOST: "db.example", DB_PORT: "five" });
  await refused(["--data", directory, "--database-url", url], /not both/);
});

test("every command looks for the documents where the server does", async (t) => {
  const directory = freshDirectory(t);
  const server = await Server.start(t, { data: directory });
  await server.create("x", "text");
  await server.end();
  for (const [env, args] of [
    [{ WEFT_DATA: directory }, []],
    [{ WEFT_DATA: directory, DATABASE_URL: "postgresql://me@127.0.0.1:1/weft" }, []],
    [{ WEFT_DATA: "/nowhere" }, ["--data", directory]],
  ]) {
    const result = await runWeft(["stats", "--json", ...args], { env: { ...bare, ...env } });
    assert.equal(result.code, 0, result.stderr);
    assert.equal(JSON.parse(result.stdout).documents.length, 1);
  }
  const backup = await runWeft(["backup", "-o", join(directory, "copy.db")], { env: { ...bare, WEFT_DATA: directory } });
  assert.equal(backup.code, 0, backup.stderr);
});

test("no secret is printed", async (t) => {
  const url = "postgresql://me:s3cr3t@db.example/weft";
  const { file } = with_file(t, `database-url = "${url}"\n`);
  for (const [args, env] of [
    [["--database-url", url]], [[], { WEFT_DATABASE_URL: url }], [[], { DATABASE_URL: url }], [["--config", file]],
  ]) {
    const settings = await check(args, env);
    assert.notEqual(settings.get("database-url")[1], "default");
    assert.doesNotMatch(settings.output, /s3cr3t/);
  }
});

test("what is wrong is said with its place", async (t) => {
  const at = (text, message, env) => refused(["--config", with_file(t, text).file], message, env);
  await at('listen = "127.0.0.1:0"\nlissen = "x"\n', /weft\.toml:2: there is no setting lissen/);
  await at("listen = 127.0.0.1:0\n", /weft\.toml:1: listen: a value is/);
  await at("\n[serve]\n", /weft\.toml:2: there are no sections/);
  await at('threads = "many"\n', /weft\.toml:1: .*threads/);
  await at('listen = ["a", "b"]\n', /weft\.toml:1: listen takes one value/);
  await at('log-level = "chatty"\n', /weft\.toml:1: .*chatty/);
  await at('config = "other"\n', /weft\.toml:1: there is no setting config/);
  await at("", /WEFT_THREADS: .*threads/, { WEFT_THREADS: "0" });
  await at("", /WEFT_PURGE_AFTER: .*at least 1s/, { WEFT_PURGE_AFTER: "soon" });
  await refused(["--config", "/nowhere/weft.toml"], /\/nowhere\/weft\.toml: it cannot be read/);
  await refused(["--listen", "nowhere"], /nowhere/);
  const typo = await check([], { WEFT_LISTENN: "x", WEFT_DATA: freshDirectory(t) });
  assert.match(typo.output, /note: WEFT_LISTENN in the environment is no setting/);
});

test("the defaults that are shown are accepted, and are the defaults", async (t) => {
  const shown = await runWeft(["config", "show-defaults"]);
  assert.equal(shown.code, 0);
  for (const line of shown.stdout.trimEnd().split("\n")) assert.match(line, /^(#.*)?$/);
  const directory = freshDirectory(t);
  const as_it_is = await check(["--data", directory, "--config", with_file(t, shown.stdout).file]);
  const active = shown.stdout.replace(/^#([a-z-]+ = (?!"").*)$/gm, "$1");
  const { file } = with_file(t, active);
  const uncommented = await check(["--data", directory, "--config", file]);
  let from_file = 0;
  for (const [name, [value]] of as_it_is) {
    assert.equal(uncommented.get(name)[0], value, name);
    from_file += uncommented.get(name)[1].startsWith(file) ? 1 : 0;
  }
  assert.ok(from_file >= 5, `${from_file} settings have a default that can be written`);
});

test("without a key there is no proxy, no issuer and no audience", async (t) => {
  const wrong = [
    [["--behind-proxy"], /behind a proxy without --key/], [["--trusted-proxy", "127.0.0.1"], /behind a proxy without --key/],
    [["--issuer", "me"], /--issuer and --audience/], [["--audience", "weft"], /--issuer and --audience/],
  ];
  for (const [args, message] of wrong) {
    for (const command of [["serve", "--listen", "127.0.0.1:0"], ["config", "check"]]) {
      const { code, stderr } = await runWeft([...command, "--data", freshDirectory(t), ...args], { env: bare });
      assert.equal(code, 2, `${command} ${args}`);
      assert.match(stderr, message);
    }
  }
  const key = join(freshDirectory(t), "key");
  assert.equal((await runWeft(["token", "--new-key", "hs256", "--out", key])).code, 0);
  for (const [args] of wrong) await check(["--data", freshDirectory(t), "--key", key, ...args]);
});
