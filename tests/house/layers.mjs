// Who may include whom: src/ against the table "The rooms" of docs/ARCHITECTURE.md.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { files_of, read, table_below } from "./tree.mjs";

const names_in = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]);

/** Room -> {rooms it may include, libraries it may include}. */
export function read_layers(root) {
  const rows = table_below(read(root, "docs/ARCHITECTURE.md"), "The rooms");
  return new Map(
    rows.map(([room, rooms, libraries]) => [
      names_in(room)[0],
      { rooms: names_in(rooms ?? ""), libraries: names_in(libraries ?? "") },
    ]),
  );
}

/** [{file, line, quoted, name}] of every #include below src/. */
export function includes_of(root) {
  const found = [];
  for (const file of files_of(root).filter((path) => /^src\/.*\.(cc|h|in)$/.test(path))) {
    read(root, file).split("\n").forEach((text, at) => {
      const match = /^\s*#\s*include\s*([<"])([^>"]+)[>"]/.exec(text);
      if (match) found.push({ file, line: at + 1, quoted: match[1] === '"', name: match[2] });
    });
  }
  return found;
}

const room_of = (file) => file.split("/")[1];
const is_standard = (name) => !/[./]/.test(name);
const is_for_tests = (file) => /_test\.cc$|(^|[/_])test_\w+\.h$/.test(file);

/** Sentences about what breaks the table; none when all is well. */
export function layer_problems(root) {
  const layers = read_layers(root);
  if (layers.size === 0) return ["docs/ARCHITECTURE.md has no table 'The rooms'"];
  const problems = [];
  for (const [room, { rooms }] of layers) {
    const order = [...layers.keys()];
    for (const other of rooms) {
      if (!layers.has(other)) problems.push(`the table lets ${room} include ${other}, which is no room`);
      else if (order.indexOf(other) >= order.indexOf(room)) {
        problems.push(`the table lets ${room} include ${other}, which stands below it`);
      }
    }
  }
  const rooms_here = new Set(
    files_of(root).filter((path) => /^src\/[^/]+\//.test(path)).map(room_of),
  );
  for (const room of rooms_here) {
    if (!layers.has(room)) problems.push(`src/${room} is missing in the table`);
  }
  for (const { file, line, quoted, name } of includes_of(root)) {
    const layer = layers.get(room_of(file));
    if (!layer) continue;
    const where = `${file}:${line} includes ${name}`;
    if (quoted) {
      const other = name.split("/")[0];
      if (other === "tests" && is_for_tests(file)) continue;  // the doubles in tests/support
      if (!name.includes("/")) problems.push(`${where}: say the room, too`);
      else if (other !== room_of(file) && !layer.rooms.includes(other)) {
        problems.push(`${where}: ${room_of(file)} may not look into ${other}`);
      } else if (!existsSync(join(root, "src", name))) problems.push(`${where}: no such file`);
    } else if (!is_standard(name) && !is_for_tests(file)) {
      if (!layer.libraries.some((library) => name.startsWith(library))) {
        problems.push(`${where}: the table gives ${room_of(file)} no such library`);
      }
    }
  }
  return problems;
}

/** Each cycle of files that include each other, as "a -> b -> a". */
export function include_cycles(root) {
  const next = new Map();
  for (const { file, quoted, name } of includes_of(root)) {
    if (!quoted) continue;
    if (!next.has(file)) next.set(file, []);
    next.get(file).push(`src/${name}`);
  }
  const state = new Map(); // file -> "open" while below it, "closed" after
  const cycles = [];
  const visit = (file, path) => {
    if (state.get(file) === "closed") return;
    if (state.get(file) === "open") {
      cycles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      return;
    }
    state.set(file, "open");
    for (const other of next.get(file) ?? []) visit(other, [...path, file]);
    state.set(file, "closed");
  };
  for (const file of next.keys()) visit(file, []);
  return cycles;
}
