// Files that are no histories are refused with a sentence that says where and why.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { freshDirectory } from "../../support-js/server.mjs";
import { replay, writeHistory } from "./files.mjs";
import { sequentialHistory, toGzip, toJson } from "./histories.mjs";

const good = { startContent: "", endContent: "ab", txns: [{ patches: [[0, 0, "ab"]] }] };
const concurrent = {
  kind: "concurrent", endContent: "a", numAgents: 1,
  txns: [{ parents: [], agent: 0, patches: [[0, 0, "a"]] }],
};
const withPatch = (...patch) => ({ ...good, txns: [{ patches: [patch] }] });
const withTxn = (txn) => ({ ...concurrent, txns: [...concurrent.txns, txn] });

const cases = [
  ["nothing", "", /not JSON/],
  ["no JSON", "{", /not JSON/],
  ["two values", '{"txns": []} {}', /not JSON/],
  ["nested without end", "[".repeat(100_000), /not JSON/],
  ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), /not JSON/],
  ["an array", [], /not a JSON object/],
  ["no transactions", { endContent: "" }, /txns/],
  ["transactions of another kind", { endContent: "", txns: {} }, /txns/],
  ["no endContent", { txns: [] }, /endContent/],
  ["endContent a number", { endContent: 1, txns: [] }, /endContent/],
  ["startContent a number", { ...good, startContent: 1 }, /startContent/],
  ["U+0000 in endContent", { ...good, endContent: "\0" }, /endContent/],
  ["another kind", { ...good, kind: "parallel" }, /kind/],
  ["no patches", { ...good, txns: [{}] }, /txns\[0\]\.patches/],
  ["a transaction that is none", { ...good, txns: [1] }, /txns\[0\]/],
  ["a patch of two", withPatch(0, 0), /txns\[0\]\.patches\[0\]/],
  ["a patch of five", withPatch(0, 0, "a", 1, 2), /txns\[0\]\.patches\[0\]/],
  ["a text that is none", withPatch(0, 0, 7), /txns\[0\]\.patches\[0\]/],
  ["a negative position", withPatch(-1, 0, "a"), /txns\[0\]\.patches\[0\]/],
  ["half a position", withPatch(0.5, 0, "a"), /txns\[0\]\.patches\[0\]/],
  ["a huge position", withPatch(2 ** 60, 0, "a"), /txns\[0\]\.patches\[0\]/],
  ["U+0000 in a text", withPatch(0, 0, "a\0"), /txns\[0\]\.patches\[0\]/],
  ["a lone surrogate", '{"endContent":"","txns":[{"patches":[[0,0,"\\ud83d"]]}]}', /not JSON/],
  ["a position after the end", withPatch(1, 0, "a"), /txns\[0\].*outside/],
  ["an empty patch after the end", withPatch(1, 0, ""), /txns\[0\].*outside/],
  ["deleting after the end", withPatch(0, 1, ""), /txns\[0\].*outside/],
  ["the place after a beginning",
    { startContent: "s", endContent: "", txns: [{ patches: [] }, { patches: [[9, 0, "a"]] }] }, /txns\[1\].*outside/],
  ["no agents", { ...concurrent, numAgents: 0 }, /numAgents/],
  ["too many agents", { ...concurrent, numAgents: 1e9 }, /numAgents/],
  ["an unknown agent", withTxn({ parents: [], agent: 1, patches: [] }), /txns\[1\]\.agent/],
  ["no parents", withTxn({ agent: 0, patches: [] }), /txns\[1\]\.parents/],
  ["itself as parent", withTxn({ parents: [1], agent: 0, patches: [] }), /txns\[1\]\.parents/],
  ["a later parent", withTxn({ parents: [7], agent: 0, patches: [] }), /txns\[1\]\.parents/],
  ["gzip cut short", toGzip(sequentialHistory(1)).subarray(0, 2000), /gzip/],
  ["gzip with a wrong checksum", damaged(toGzip(good)), /gzip/],
];

function damaged(bytes) {
  bytes[bytes.length - 8] ^= 1;
  return bytes;
}

test("malformed files", async (t) => {
  const directory = freshDirectory(t);
  const files = cases.map(([name, content]) => {
    const raw = Buffer.isBuffer(content) || typeof content === "string";
    return writeHistory(directory, `${name}.json`, raw ? content : toJson(content));
  });
  const { code, reports, stderr } = await replay(files);
  assert.equal(code, 1, stderr);
  assert.equal(reports.length, cases.length);
  for (const [i, [name, , expected]] of cases.entries()) {
    await t.test(name, () => {
      assert.equal(reports[i].ok, false);
      assert.match(reports[i].problem, expected);
    });
  }
});

test("the files that the malformed ones were made from are good", async (t) => {
  const directory = freshDirectory(t);
  const { code } = await replay([
    writeHistory(directory, "good.json", toJson(good)),
    writeHistory(directory, "concurrent.json", toJson(concurrent)),
  ]);
  assert.equal(code, 0);
});

test("a file that unpacks to far more than a history is refused before the memory is full", async (t) => {
  const directory = freshDirectory(t);
  const spaces = Buffer.alloc(1 << 24, " ");
  const member = gzipSync(spaces);
  const bomb = Buffer.concat(Array.from({ length: 64 }, () => member));
  const { code, reports } = await replay([writeHistory(directory, "bomb.json.gz", bomb)]);
  assert.equal(code, 1);
  assert.match(reports[0].problem, /unpacks to more than/);
});

test("a history with more branches than can be played is refused soon", async (t) => {
  const directory = freshDirectory(t);
  const txns = Array.from({ length: 50_000 }, () => ({ parents: [], agent: 0, patches: [] }));
  const history = { kind: "concurrent", endContent: "", numAgents: 1, txns };
  const { code, reports } = await replay([writeHistory(directory, "wide.json", toJson(history))]);
  assert.equal(code, 1);
  assert.match(reports[0].problem, /too many branches/);
});

test("a file that is not there, and a directory", async (t) => {
  const directory = freshDirectory(t);
  const { code, reports } = await replay([`${directory}/missing.json`, directory]);
  assert.equal(code, 1);
  assert.match(reports[0].problem, /cannot be opened: No such file/);
  assert.match(reports[1].problem, /cannot be read: Is a directory/);
});
