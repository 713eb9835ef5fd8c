// What deploy/ holds, as far as it can be checked without systemd and containers: the unit by systemd's own
// verifier where there is one, the Dockerfile by a linter, the compose file by its keys; and that what they
// start the program with is what the program takes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import dockerfile from "dockerfile-utils";
import { parse } from "yaml";
import { repository } from "../../house/tree.mjs";
import { binary, freshDirectory, runWeft } from "../../support-js/server.mjs";

const read = (path) => readFileSync(join(repository, path), "utf8");
const program = "/usr/local/bin/weft";

// --- systemd --------------------------------------------------------------------------------------

/** Section -> directive -> values. */
function read_unit(text) {
  const sections = new Map();
  let section = null;
  text.split("\n").forEach((line, at) => {
    if (/^\s*([#;].*)?$/.test(line)) return;
    const heading = /^\[(\w+)\]$/.exec(line);
    if (heading) {
      sections.set(heading[1], (section = new Map()));
      return;
    }
    const setting = /^([A-Z]\w+)=(.*)$/.exec(line);
    assert.ok(setting && section, `line ${at + 1}: ${line}`);
    section.set(setting[1], [...(section.get(setting[1]) ?? []), setting[2]]);
  });
  return sections;
}

test("the systemd unit is hardened, and stops the way the program does", () => {
  const unit = read_unit(read("deploy/weft.service"));
  assert.deepEqual([...unit.keys()], ["Unit", "Service", "Install"]);
  const service = Object.fromEntries(unit.get("Service"));
  for (const [name, value] of Object.entries({
    DynamicUser: "yes", NoNewPrivileges: "yes", ProtectSystem: "strict", ProtectHome: "yes", StateDirectory: "weft",
    KillSignal: "SIGTERM", CapabilityBoundingSet: "", MemoryDenyWriteExecute: "yes", Restart: "on-failure",
  })) {
    assert.deepEqual(service[name], [value], name);
  }
  assert.deepEqual(Object.fromEntries(unit.get("Unit")).StartLimitIntervalSec, ["0"], "a database may be away for long");
  assert.ok(Number(service.TimeoutStopSec[0]) > 10);
  assert.ok(Number(service.LimitNOFILE[0]) > 10_000, "more than max_connections");
});

test("systemd accepts the unit", (t) => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) return t.skip("no systemd-analyze here");
  // With the program where it is, instead of where it will be installed.
  const file = join(freshDirectory(t), "weft.service");
  writeFileSync(file, read("deploy/weft.service").replaceAll(program, binary));
  const verified = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
  assert.equal(verified.status, 0, verified.stderr);
  assert.doesNotMatch(verified.stderr, /weft\.service/);
});

test("the unit's commands and settings are the program's", async (t) => {
  const service = read_unit(read("deploy/weft.service")).get("Service");
  const config = join(freshDirectory(t), "weft.toml");
  writeFileSync(config, (await runWeft(["config", "show-defaults"])).stdout);
  const env = { DATABASE_URL: "", DB_HOST: "" };
  for (const setting of service.get("Environment")) {
    const [name, value] = setting.split(/=(.*)/s);
    env[name] = value;
  }
  const [check] = service.get("ExecStartPre");
  const [serve] = service.get("ExecStart");
  assert.ok(check.startsWith(`${program} config check `) && serve.startsWith(`${program} serve `));
  const args = check.replace("/etc/weft/weft.toml", config).split(" ").slice(1);
  assert.deepEqual(serve.split(" ").slice(2), check.split(" ").slice(3), "what is checked is what is served");
  const checked = await runWeft(args, { env });
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(checked.stdout, /^documents in \/var\/lib\/weft$/m);
  assert.match(checked.stdout, /^log-format +json/m);
});

// --- containers -----------------------------------------------------------------------------------

test("the Dockerfile has no findings, and runs the program as nobody", () => {
  const text = read("deploy/Dockerfile");
  const findings = dockerfile.validate(text, {
    deprecatedMaintainer: dockerfile.ValidationSeverity.ERROR,
    directiveCasing: dockerfile.ValidationSeverity.ERROR,
    emptyContinuationLine: dockerfile.ValidationSeverity.ERROR,
    instructionCasing: dockerfile.ValidationSeverity.ERROR,
    instructionCmdMultiple: dockerfile.ValidationSeverity.ERROR,
    instructionEntrypointMultiple: dockerfile.ValidationSeverity.ERROR,
    instructionHealthcheckMultiple: dockerfile.ValidationSeverity.ERROR,
    instructionJSONInSingleQuotes: dockerfile.ValidationSeverity.ERROR,
    instructionWorkdirRelative: dockerfile.ValidationSeverity.ERROR,
  });
  assert.deepEqual(findings.map(({ range, message }) => `${range.start.line + 1}: ${message}`), []);
  const last_stage = text.slice(text.lastIndexOf("\nFROM "));
  assert.deepEqual([...text.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image), ["debian:12-slim", "debian:12-slim"]);
  assert.match(text, /^RUN \.\/dev build$/m);
  assert.match(last_stage, /^USER \d+$/m);
  assert.doesNotMatch(last_stage, /^USER 0$/m);
  assert.match(last_stage, /^STOPSIGNAL SIGTERM$/m);
  assert.match(last_stage, /^HEALTHCHECK [\s\S]*\/healthz/m);
  assert.match(last_stage, /apt-get install -y --no-install-recommends/);
  assert.match(last_stage, /rm -rf \/var\/lib\/apt\/lists/);
  const broken = dockerfile.validate("FRM x\n");
  assert.ok(broken.length > 0, "the linter finds something where there is something");
});

test("the image has every library that the program is linked with", (t) => {
  const needed = spawnSync("readelf", ["-d", binary], { encoding: "utf8" });
  if (needed.status !== 0 || spawnSync("dpkg", ["--version"]).status !== 0) return t.skip("no Debian here");
  const names = [...needed.stdout.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name);
  assert.ok(names.length > 4, needed.stdout);
  const owners = names.map((name) => {
    const found = spawnSync("dpkg", ["-S", `*-linux-gnu/${name}`], { encoding: "utf8" }).stdout;
    return /^([^:]+)/.exec(found)?.[1] ?? `nobody, ${name}`;
  });
  const last_stage = read("deploy/Dockerfile").split("\nFROM ").at(-1);
  const installed = /--no-install-recommends ([\s\S]*?)&&/.exec(last_stage)[1].match(/[a-z0-9][a-z0-9.+-]+/g);
  // Those of the languages are brought along by every package that was built with them. A sanitizer has its own.
  const of_the_compiler = (name) => /^(libc6|libgcc-s1|libstdc\+\+6|lib[a-z]+san\d)$/.test(name);
  const missing = owners.filter((owner) => !of_the_compiler(owner) && !installed.includes(owner));
  assert.deepEqual(missing, []);
});

/** The keys of the compose specification that a file of ours may use. */
const compose_keys = {
  "": ["name", "services", "volumes"],
  service: ["build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "network_mode",
    "ports", "read_only", "restart", "security_opt", "stop_grace_period", "volumes"],
  build: ["context", "dockerfile"],
  healthcheck: ["test", "interval", "timeout", "retries", "start_period"],
};

test("the compose file parses, uses known keys, and starts what there is", async () => {
  const compose = parse(read("deploy/compose.yaml"), { strict: true, uniqueKeys: true });
  const known = (object, keys, where) => {
    for (const key of Object.keys(object)) assert.ok(keys.includes(key), `${where}: ${key}`);
  };
  known(compose, compose_keys[""], "top");
  for (const [name, service] of Object.entries(compose.services)) {
    known(service, compose_keys.service, name);
    known(service.build ?? {}, compose_keys.build, `${name} build`);
    known(service.healthcheck ?? {}, compose_keys.healthcheck, `${name} healthcheck`);
    for (const other of Object.keys(service.depends_on ?? {})) {
      assert.ok(other in compose.services, `${name} depends on ${other}`);
      assert.ok(compose.services[other].healthcheck, `${other} can be asked for its health`);
    }
    for (const volume of service.volumes ?? []) assert.ok(volume.split(":")[0] in compose.volumes, volume);
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, "loopback only");
  }
  const { build, environment } = compose.services.weft;
  assert.ok(existsSync(join(repository, "deploy", build.context, build.dockerfile)));
  const database = compose.services.database;
  assert.equal(environment.DB_USER, database.environment.POSTGRES_USER);
  assert.equal(environment.DB_NAME, database.environment.POSTGRES_DB);
  assert.equal(environment.DB_PSW, database.environment.POSTGRES_PASSWORD);
  assert.doesNotMatch(JSON.stringify(compose), /password":"(?!\$\{)/i, "no password in the file");
  const checked = await runWeft(["config", "check"], { env: { DATABASE_URL: "", ...environment, DB_PSW: "s3cr3t" } });
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(checked.stdout, /^documents in .*127\.0\.0\.1/m);
});
