// The manual page against the program's own help, and against groff.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { runWeft } from "../../support-js/server.mjs";

const page = fileURLToPath(new URL("../../../docs/weft.1", import.meta.url));
const source = readFileSync(page, "utf8");
const text = source.replaceAll("\\-", "-").replace(/\\f[RBIP]/g, "").replaceAll("\\(dq", '"');

const help = async (...command) => {
  const { code, stdout } = await runWeft([...command, "--help"]);
  assert.equal(code, 0);
  return stdout;
};
const entries = (output, heading) => {
  const body = new RegExp(`^${heading}:\n((?: .*\n)+)`, "m").exec(output)?.[1] ?? "";
  return [...body.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
};

/** Those of all groups. */
const options = (output) => [...output.matchAll(/^ {2}(-\S+)/gm)].flatMap(([, names]) => names.split(","));

/** Options that mean the same for every command that has them, and where they are told of. */
const told_once = { "-h": "OPTIONS", "--help": "OPTIONS", "--data": "COMMANDS", "--database-url": "COMMANDS" };

/** The part of the page about a command. */
function section_of(command) {
  const at = text.indexOf(`\n.SS weft ${command}\n`);
  assert.ok(at >= 0, `${command} has no section`);
  return text.slice(at + 5).split(/\n\.S[SH] /)[0];
}

test("every command and every option is in the manual", async () => {
  const top = await help();
  const commands = entries(top, "Subcommands");
  assert.ok(commands.length > 5, top);
  const all = [...commands.filter((name) => name !== "config"), "config check", "config show-defaults"];
  for (const command of all) {
    const section = section_of(command);
    const output = await help(...command.split(" "));
    for (const flag of options(output)) {
      const elsewhere = told_once[flag] && text.split(`\n.SH ${told_once[flag]}\n`)[1];
      const place = elsewhere ?? (command === "config check" ? section_of("serve") : section);
      assert.match(place, new RegExp(`(^|[\\s,])${flag}(?![\\w-])`, "m"), `${flag} of ${command}`);
    }
  }
  for (const [, code] of top.matchAll(/^ {2}(\d) {2}/gm)) assert.match(text, new RegExp(`^\\.B ${code}$`, "m"));
});

test("every command is in the synopsis, and in the help", async () => {
  const synopsis = text.split("\n.SH SYNOPSIS\n")[1].split("\n.SH ")[0];
  for (const command of entries(await help(), "Subcommands")) {
    if (command !== "help") assert.match(synopsis, new RegExp(`\\b${command}\\b`), command);
  }
  for (const command of [["token"], ["config"], ["config", "check"], ["config", "show-defaults"]]) {
    const told = await runWeft(["help", ...command]);
    assert.deepEqual([told.code, told.stdout], [0, await help(...command)]);
  }
  for (const wrong of [["nothing"], ["config", "nothing"], ["token", "check"]]) {
    const { code, stderr } = await runWeft(["help", ...wrong]);
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`no command '${wrong.at(-1)}'`));
  }
});

test("every option in the manual is one of the program", async () => {
  const commands = entries(await help(), "Subcommands");
  let known = await help();
  for (const command of [...commands, "config check"]) known += await help(...command.split(" "));
  for (const [flag] of text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)) {
    assert.ok(new RegExp(`${flag}(?![\\w-])`).test(known), `${flag} is no option`);
  }
});

test("the manual is of this version", async () => {
  const { stdout } = await runWeft(["--version"]);
  assert.equal(/^\.TH WEFT 1 [\d-]+ "([^"]+)"/.exec(source)[1], stdout.split(" (")[0]);
});

test("groff formats the page without a warning", (t) => {
  if (spawnSync("groff", ["--version"]).status !== 0) return t.skip("no groff here");
  const formatted = spawnSync("groff", ["-man", "-ww", "-Tutf8", "-P-c", page], { encoding: "utf8" });
  assert.equal(formatted.status, 0);
  assert.equal(formatted.stderr, "");
  for (const heading of ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES"]) {
    assert.match(formatted.stdout.replace(/.\x08/g, ""), new RegExp(`^${heading}`, "m"));
  }
});
