// The documents against the code: what is named in one must stand in the other.
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { files_of, read, table_below } from "./tree.mjs";

/** Relative links of every Markdown file lead to a file, and to a heading of it when they say so. */
export function link_problems(root) {
  const problems = [];
  for (const path of files_of(root).filter((file) => file.endsWith(".md"))) {
    const text = read(root, path).replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file, heading] = target.split("#");
      const to = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, to))) problems.push(`${path} links to ${target}, which is not there`);
      else if (heading && !headings_of(read(root, to)).includes(heading)) {
        problems.push(`${path} links to ${target}, which has no such heading`);
      }
    }
  }
  return problems;
}

function headings_of(markdown) {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replace(/ /g, "-"));
}

/** Every close code of src/wire/messages.h has its row in docs/PROTOCOL.md, and the other way round. */
export function close_code_problems(root) {
  const body = /enum class CloseCode[^{]*\{([\s\S]*?)\};/.exec(read(root, "src/wire/messages.h"))?.[1] ?? "";
  const in_code = [...body.matchAll(/^\s*(\w+) = (\d+),/gm)].map(([, name, code]) => `${code} ${name}`);
  const rows = table_below(read(root, "docs/PROTOCOL.md"), "Close codes");
  return differences(in_code, rows.map(([code, name]) => `${code} ${name}`), "close code", "docs/PROTOCOL.md");
}

const limits_of = (root) => /struct Limits \{([\s\S]*?)\n\};/.exec(read(root, "src/wire/limits.h"))?.[1] ?? "";
const limit_line = /^\s*(?:static constexpr )?[\w:]+ (\w+) = (.+);$/gm;

/** Every limit of src/wire/limits.h is named in a test. */
export function untested_limits(root) {
  const tests = files_of(root).filter((file) => /_test\.cc$|\.test\.mjs$/.test(file) && !/^tests\/house\//.test(file));
  const text = tests.map((file) => read(root, file)).join("\n");
  return [...limits_of(root).matchAll(limit_line)].map(([, name]) => name)
    .filter((name) => !new RegExp(`\\b${name}\\b`).test(text)).map((name) => `no test names ${name}`);
}

/** Every limit of src/wire/limits.h stands in docs/PROTOCOL.md with its value, and the other way round. */
export function limit_problems(root) {
  const in_code = [...limits_of(root).matchAll(limit_line)].map(([, name, value]) => `${name} ${number_of(value)}`);
  const rows = table_below(read(root, "docs/PROTOCOL.md"), "Limits");
  const in_docs = rows.map(([name, value]) => `${name?.replaceAll("`", "")} ${value?.replaceAll(",", "")}`);
  return differences(in_code, in_docs, "limit", "docs/PROTOCOL.md");
}

/** 10'000 · std::size_t{1} << 20 · 32u << 20 */
function number_of(expression) {
  const [left, right] = expression.replace(/std::\w+\{(\d+)\}/, "$1").replace(/[u']/g, "").split("<<");
  return Number(left) * 2 ** Number(right ?? 0);
}

/** Every stable error code that the code gives stands in docs/ERRORS.md, and the other way round. */
export function error_code_problems(root) {
  const given = new Set();
  const words = new Set();  // some codes are chosen first and given later, some are the page's own
  for (const path of files_of(root).filter((file) => /^(src|client\/src|web\/src)\/.*\.(cc|h|ts)$/.test(file))) {
    if (/_test[._]/.test(path)) continue;
    const text = read(root, path);
    for (const [, code] of text.matchAll(/ErrorClass::\w+,\s*"([a-z][a-z0-9_]*)"/g)) given.add(code);
    for (const [, word] of text.matchAll(/"([a-z][a-z0-9_]*)"/g)) words.add(word);
  }
  const in_docs = [...read(root, "docs/ERRORS.md").matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, code]) => code);
  return [
    ...[...given].filter((code) => !in_docs.includes(code)).sort()
      .map((code) => `error code ${code} is not in docs/ERRORS.md`),
    ...in_docs.filter((code) => !words.has(code)).map((code) => `error code ${code} is only in docs/ERRORS.md`),
  ];
}

function differences(in_code, in_docs, what, where) {
  if (in_code.length === 0) return [`found no ${what} in the code`];
  return [
    ...in_code.filter((entry) => !in_docs.includes(entry)).map((entry) => `${what} ${entry} is not in ${where}`),
    ...in_docs.filter((entry) => !in_code.includes(entry)).map((entry) => `${what} ${entry} is only in ${where}`),
  ];
}

/** Each `./dev word` that a document names is a command of the door, and the door's help names each. */
export function door_problems(root) {
  const door = read(root, "dev");
  const commands = [...door.matchAll(/^dev_(\w+)\(\) \{/gm)].map(([, name]) => name);
  const problems = [];
  for (const path of files_of(root).filter((file) => file.endsWith(".md"))) {
    for (const [, word] of read(root, path).matchAll(/\.\/dev ([a-z]+)/g)) {
      if (!commands.includes(word)) problems.push(`${path} names ./dev ${word}, which is no command`);
    }
  }
  for (const name of commands.filter((command) => command !== "help")) {
    if (!new RegExp(`^\\./dev ${name}\\b`, "m").test(door)) problems.push(`./dev help does not name ${name}`);
  }
  if (commands.length === 0) problems.push("./dev has no commands");
  return problems;
}

/** Nothing that was to be filled in is still open. */
export function placeholder_problems(root) {
  return files_of(root).filter((file) => file.endsWith(".md"))
    .flatMap((path) => [...read(root, path).matchAll(/\{\{[^}]*\}\}/g)].map(([text]) => `${path}: ${text}`));
}
