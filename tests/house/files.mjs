// What every file must keep to: length, no machine's paths, no left-over markers, no registry's name.
import { statSync } from "node:fs";
import { join } from "node:path";
import { files_of, is_text, read } from "./tree.mjs";

export const max_lines = 500;
export const max_bytes = 512 * 1024;
const source = /\.(cc|h|ts|mjs|css|sh)$|^dev$/;

export function length_problems(root) {
  const problems = [];
  for (const path of files_of(root).filter((file) => source.test(file))) {
    const lines = read(root, path).split("\n").length - 1;
    if (lines > max_lines) problems.push(`${path} has ${lines} lines, more than ${max_lines}`);
  }
  return problems;
}

// Written in pieces, so that this file does not match itself.
const markers = new RegExp(`\\b(${["TO", "FIX", "HA", "XX"].map((w, i) => w + ["DO", "ME", "CK", "X"][i]).join("|")})\\b`);
const machine_paths = new RegExp(`(^|[^A-Za-z0-9_.}])/(${["work", "root", "home/[a-z]+", "Users"].join("|")})/`);

export function left_over_problems(root) {
  const problems = [];
  for (const path of files_of(root).filter((file) => is_text(file) && !file.endsWith("package-lock.json"))) {
    read(root, path).split("\n").forEach((line, at) => {
      if (markers.test(line)) problems.push(`${path}:${at + 1} has a left-over marker: ${line.trim()}`);
      if (machine_paths.test(line)) problems.push(`${path}:${at + 1} names a machine's path: ${line.trim()}`);
    });
  }
  return problems;
}

/** A lock file pins versions and hashes; where to fetch them from is the machine's affair. */
export function lock_problems(root) {
  const problems = [];
  for (const path of files_of(root).filter((file) => /(^|\/)(package-lock\.json|\.npmrc)$/.test(file))) {
    const hosts = new Set([...read(root, path).matchAll(/"resolved":|registry\s*=|https?:\/\/[^/"]*(npm|registry)[^/"]*/g)].map((m) => m[0]));
    for (const host of hosts) problems.push(`${path} names a registry: ${host}`);
  }
  const without_lock = files_of(root).filter((file) => file.endsWith("package.json"))
    .filter((file) => /"(dev)?[dD]ependencies"/.test(read(root, file)))
    .filter((file) => !files_of(root).includes(file.replace(/package\.json$/, "package-lock.json")));
  for (const path of without_lock) problems.push(`${path} has no lock file beside it`);
  return problems;
}

/** Versions are exact, so that the same tree is built next year. */
export function pin_problems(root) {
  const problems = [];
  for (const path of files_of(root).filter((file) => file.endsWith("package.json"))) {
    const { dependencies, devDependencies } = JSON.parse(read(root, path));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      if (!/^(\d+\.\d+\.\d+(-[\w.]+)?|file:.*)$/.test(version)) problems.push(`${path}: ${name} ${version} is not pinned`);
    }
  }
  return problems;
}

export function size_problems(root) {
  return files_of(root)
    .map((path) => [path, statSync(join(root, path)).size])
    .filter(([, size]) => size > max_bytes)
    .map(([path, size]) => `${path} has ${size} bytes`);
}
