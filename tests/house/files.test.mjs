import assert from "node:assert/strict";
import { test } from "node:test";
import {
  left_over_problems, length_problems, lock_problems, max_lines, pin_problems, size_problems,
} from "./files.mjs";
import { repository, with_tree } from "./tree.mjs";

test("no source file is longer than a reader's patience", () => {
  assert.deepEqual(length_problems(repository), []);
});
test("no left-over markers, no machine's paths", () => {
  assert.deepEqual(left_over_problems(repository), []);
});
test("lock files name no registry", () => {
  assert.deepEqual(lock_problems(repository), []);
});
test("npm versions are exact", () => {
  assert.deepEqual(pin_problems(repository), []);
});
test("no large files", () => {
  assert.deepEqual(size_problems(repository), []);
});

test("the checks find what they are for", () => {
  const long = "\n".repeat(max_lines + 1);
  with_tree({ "src/a/a.cc": long, "src/a/b.cc": "\n" }, (root) => {
    assert.equal(length_problems(root).length, 1);
  });
  with_tree({ "a.md": `see /${"home"}/me/x\n`, "b.cc": `// ${"TO"}DO: later\n`, "c.cc": "// fine /api/work\n" }, (root) => {
    assert.equal(left_over_problems(root).length, 2);
  });
  const lock = '{"packages":{"node_modules/a":{"version":"1.0.0","resolved":"https://registry.example/a"}}}';
  with_tree({ "package-lock.json": lock }, (root) => {
    assert.equal(lock_problems(root).length, 2);
  });
  with_tree({ "package.json": '{"devDependencies":{"a":"^1.0.0","b":"1.0.0"}}' }, (root) => {
    assert.equal(pin_problems(root).length, 1);
    assert.equal(lock_problems(root).length, 1);
  });
});
