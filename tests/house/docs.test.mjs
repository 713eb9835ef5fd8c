import assert from "node:assert/strict";
import { test } from "node:test";
import {
  close_code_problems, door_problems, error_code_problems, limit_problems, link_problems, placeholder_problems, untested_limits,
} from "./docs.mjs";
import { repository, with_tree } from "./tree.mjs";

const checks = {
  "links of the documents lead somewhere": link_problems,
  "close codes are documented": close_code_problems,
  "limits are documented with their values": limit_problems,
  "limits are tested": untested_limits,
  "error codes are documented": error_code_problems,
  "documents name commands that ./dev has": door_problems,
  "nothing is left to be filled in": placeholder_problems,
};
for (const [name, check] of Object.entries(checks)) {
  test(name, () => assert.deepEqual(check(repository), []));
}

const sound = {
  dev: "./dev run   runs\ndev_run() {\ndev_help() {\n",
  "README.md": "[a](docs/PROTOCOL.md#close-codes) `./dev run`\n",
  "docs/ERRORS.md": "| code | means |\n|---|---|\n| `gap` | a seq is missing |\n",
  "docs/PROTOCOL.md":
    "## Close codes\n\n| code | name |\n|---|---|\n| 4400 | bad |\n\n" +
    "## Limits\n\n| name | value |\n|---|---|\n| `max_bytes` | 1,048,576 |\n| `wait_ms` | 10,000 |\n",
  "src/wire/messages.h": "enum class CloseCode : int {\n  bad = 4400,  // no\n};\n",
  "src/wire/limits.h": "struct Limits {\n  std::size_t max_bytes = std::size_t{1} << 20;\n  std::int64_t wait_ms = 10'000;\n};\n",
  "src/wire/limits_test.cc": "max_bytes wait_ms\n",
  "src/wire/decode.cc": 'Error{ErrorClass::invalid, "gap", "x"}\n',
};

test("the checks pass a sound tree", () => {
  with_tree(sound, (root) => {
    for (const check of Object.values(checks)) assert.deepEqual(check(root), []);
  });
});

test("the checks find what they are for", () => {
  const broken = [
    [link_problems, { "README.md": "[a](docs/NO.md)" }],
    [link_problems, { "README.md": "[a](docs/PROTOCOL.md#no)" }],
    [close_code_problems, { "src/wire/messages.h": "enum class CloseCode {\n  bad = 4401,\n};\n" }],
    [limit_problems, { "src/wire/limits.h": "struct Limits {\n  std::size_t max_bytes = std::size_t{1} << 21;\n};\n" }],
    [error_code_problems, { "src/wire/decode.cc": 'Error{ErrorClass::invalid, "hole", "x"} "gap"\n' }],
    [error_code_problems, { "docs/ERRORS.md": "| `gap` | a seq is missing |\n| `hole` | there is none |\n" }],
    [untested_limits, { "src/wire/limits_test.cc": "max_bytes\n" }],
    [door_problems, { "README.md": "./dev walk" }],
    [door_problems, { dev: "dev_run() {\n" }],
    [placeholder_problems, { "README.md": `took {${"{seconds}"}}` }],
  ];
  for (const [check, files] of broken) {
    const problems = with_tree({ ...sound, ...files }, check);
    assert.ok(problems.length > 0, `${check.name} passed ${JSON.stringify(files)}`);
  }
});
