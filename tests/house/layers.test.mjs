import assert from "node:assert/strict";
import { test } from "node:test";
import { include_cycles, layer_problems, read_layers } from "./layers.mjs";
import { repository, with_tree } from "./tree.mjs";

test("includes point one way", () => {
  assert.deepEqual(layer_problems(repository), []);
});

test("no file includes itself by a detour", () => {
  assert.deepEqual(include_cycles(repository), []);
});

const table = `# Architecture

## The rooms

| room | may include | libraries | lives there |
|---|---|---|---|
| \`base\` | | | bytes |
| \`core\` | \`base\` | | text |
| \`shop\` | \`base\` \`core\` | \`sys/\` \`sqlite3.h\` | doors |
`;
const sound = {
  "docs/ARCHITECTURE.md": table,
  "src/base/bytes.h": "#include <vector>\n",
  "src/core/text.h": '#include "base/bytes.h"\n',
  "src/shop/door.cc": '#include "core/text.h"\n#include <sys/socket.h>\n',
  "src/core/text_test.cc": "#include <gtest/gtest.h>\n",
};
const problems_with = (files) => with_tree({ ...sound, ...files }, layer_problems);

test("the check reads the table", () => {
  with_tree(sound, (root) => {
    assert.deepEqual(read_layers(root).get("shop"), {
      rooms: ["base", "core"],
      libraries: ["sys/", "sqlite3.h"],
    });
  });
  assert.deepEqual(problems_with({}), []);
});

test("the check finds a back edge", () => {
  const problems = problems_with({ "src/base/up.h": '#pragma once\n#include "core/text.h"\n' });
  assert.deepEqual(problems, ["src/base/up.h:2 includes core/text.h: base may not look into core"]);
});

test("the check finds a room that the table does not know", () => {
  assert.match(problems_with({ "src/attic/box.h": "" }).join(), /src\/attic is missing/);
});

test("the check finds a library in the wrong room, a file that is not there, an unnamed room", () => {
  assert.match(problems_with({ "src/core/a.h": "#include <sqlite3.h>\n" }).join(), /no such library/);
  assert.match(problems_with({ "src/core/a.h": '#include "base/no.h"\n' }).join(), /no such file/);
  assert.match(problems_with({ "src/core/a.h": '#include "text.h"\n' }).join(), /say the room/);
});

test("the check finds a table that allows a back edge", () => {
  const upside_down = table.replace("| `base` | |", "| `base` | `core` |");
  assert.match(problems_with({ "docs/ARCHITECTURE.md": upside_down }).join(), /stands below it/);
  assert.match(problems_with({ "docs/ARCHITECTURE.md": "# Nothing\n" }).join(), /no table/);
});

test("the check finds a cycle of files", () => {
  const cycle = {
    "src/core/a.h": '#include "core/b.h"\n',
    "src/core/b.h": '#include "core/a.h"\n',
  };
  with_tree({ ...sound, ...cycle }, (root) => {
    assert.deepEqual(include_cycles(root), ["src/core/a.h -> src/core/b.h -> src/core/a.h"]);
  });
  with_tree(sound, (root) => assert.deepEqual(include_cycles(root), []));
});
