// weft.wasm by itself, and the bytes that docs/PROTOCOL.md gives as examples.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { EditOutcome, Side } from "../src/core.js";
import { insertedTexts, readOperations } from "../src/operations.js";
import { ByteReader, ByteWriter, MalformedMessage, fromBase64, toBase64 } from "../src/bytes.js";
import { decodeServerMessage, encodeHello, encodePresence, encodePush } from "../src/protocol.js";
import { cleanText, difference, partsOf } from "../src/text.js";
import { Rng, loadCore, randomText, seedFor, wasmBytes } from "./support.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("the module imports nothing and keeps its size budget", async () => {
  const bytes = wasmBytes();
  assert.deepEqual(WebAssembly.Module.imports(await WebAssembly.compile(bytes)), []);
  assert.ok(gzipSync(bytes, { level: 9 }).length <= 60_000);
});

test("the protocol page's example stream", async () => {
  const core = await loadCore();
  const document = core.newDocument(1);
  document.setSite(7);
  document.insert(0, "a");
  document.insert(1, "b");
  document.erase(1, 1);
  const stream = document.takeOps();
  assert.equal(hex(stream), "3c010701016120" + "6221");
  assert.deepEqual(insertedTexts([stream]), ["ab"]);
  const kinds = [...readOperations(stream)].map((op) => [op.kind, op.seq, op.sum, op.ref.seq]);
  assert.deepEqual(kinds, [[0, 1, 1, 0], [0, 2, 2, 1], [1, 3, 3, 2]]);
  const other = core.newDocument(1);
  assert.deepEqual(other.apply(stream), {
    refused: 0,
    rows: 3,
    patches: [
      { at: 0, erased: 0, inserted: "a" },
      { at: 1, erased: 0, inserted: "b" },
      { at: 1, erased: 1, inserted: "" },
    ],
  });
  assert.equal(other.stateHash(), document.stateHash());
  assert.deepEqual(other.apply(stream), { refused: 0, rows: 3, patches: [] });
});

test("operations moved piece by piece and fed piece by piece are one stream", async () => {
  const rng = new Rng(seedFor("moved"));
  const core = await loadCore();
  for (let round = 0; round < 30; ++round) {
    const author = core.newDocument(1);
    const whole = core.newDocument(1);
    const reader = core.newDocument(1);
    const behind = core.newDocument(1);
    author.setSite(7);
    whole.setSite(7);
    const bytes = new Uint8Array(1 << 16);
    let size = 0;
    let at = 0;
    for (let step = 0; step < 200; ++step) {
      const length = author.length;
      // Mostly typing on and backspacing, with jumps; snapped, because a border may cut a pair.
      at = author.snap(rng.chance(0.9) ? Math.min(at, length) : rng.below(length + 1));
      if (length > 0 && at > 0 && rng.chance(0.3)) {
        const from = author.snap(at - 1);
        assert.equal(author.erase(from, at - from), EditOutcome.done);
        assert.equal(whole.erase(from, at - from), EditOutcome.done);
        at = from;
      } else {
        const text = rng.chance(0.9) ? "abc\n"[rng.below(4)]! : randomText(rng);
        assert.equal(author.insert(at, text), whole.insert(at, text));
        at += text.length;
      }
      const moved = author.moveOps(bytes, size);
      assert.equal(reader.feed(bytes, size, size + moved), 0);
      size += moved;
    }
    assert.equal(hex(bytes.subarray(0, size)), hex(whole.takeOps()));
    assert.equal(behind.integrate(bytes, 0, size), 0);
    for (const document of [author, reader, behind]) {
      assert.equal(document.text(), whole.text());
      assert.equal(document.stateHash(), whole.stateHash());
    }
    assert.throws(() => { author.insert(0, "x"); author.moveOps(bytes, bytes.length); }, RangeError);
    for (const document of [author, whole, reader, behind]) document.free();
  }
});

test("edits that cannot be are refused and change nothing", async () => {
  const core = await loadCore();
  const document = core.newDocument(1);
  assert.equal(document.insert(0, "x"), EditOutcome.noSite);
  document.setSite(3);
  assert.equal(document.insert(1, "x"), EditOutcome.outOfRange);
  assert.equal(document.insert(-1, "x"), EditOutcome.outOfRange);
  assert.equal(document.insert(0, "\0"), EditOutcome.badText);
  assert.equal(document.insert(0, "ab\0"), EditOutcome.badText);
  assert.equal(document.insert(0, "\ud800"), EditOutcome.badText);
  assert.equal(document.erase(0, 1), EditOutcome.outOfRange);
  assert.equal(document.erase(0xffffffff, 5), EditOutcome.outOfRange);
  assert.equal(document.opsSize, 0);
  assert.equal(document.apply(Uint8Array.of(0xff, 0xff)).refused, 100);
  assert.equal(core.loadDocument(Uint8Array.of(1, 2, 3)), null);
  assert.equal(document.text(), "");
});

test("memory grows, and texts of every kind come back as they went in", async () => {
  const core = await loadCore();
  const document = core.newDocument(1);
  document.setSite(1);
  const text = "\ufeffBOM first, then 漢字 and 😀\n".repeat(200_000);
  assert.equal(document.insert(0, text), EditOutcome.done);
  assert.equal(document.length, text.length);
  assert.equal(document.text(), text);
  const copy = core.loadDocument(document.save());
  assert.equal(copy?.text(), text);
  assert.equal(copy?.stateHash(), document.stateHash());
  const anchor = document.anchorAt(text.length, Side.after);
  assert.equal(copy?.resolve(anchor), text.length);
  assert.equal(document.resolve({ sid: 99, seq: 1, side: Side.after }), null);
  document.free();
});

test("messages: integers to 2^53 - 1, truncation is an error at every byte", () => {
  for (const n of [0, 127, 128, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) {
    assert.equal(new ByteReader(new ByteWriter().varint(n).finish()).varint(), n);
  }
  const tooLarge = new ByteWriter().bytes(Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 255, 1]));
  assert.throws(() => new ByteReader(tooLarge.finish()).varint(), MalformedMessage);
  const heartbeat = Uint8Array.from([0x86, 5, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(decodeServerMessage(heartbeat), {
    kind: 0x86,
    index: 5,
    stateHash: 0x0807060504030201n,
  });
  for (let cut = 0; cut < heartbeat.length; ++cut) {
    assert.throws(() => decodeServerMessage(heartbeat.subarray(0, cut)), MalformedMessage);
  }
  assert.equal(decodeServerMessage(Uint8Array.of(0xee, 1, 2)), null);
  const client = "00112233-4455-6677-8899-aabbccddeeff";
  assert.equal(
    hex(encodeHello("t", client, null)),
    "01" + "0101" + "0174" + "00112233445566778899aabbccddeeff" + "00",
  );
  assert.equal(hex(encodePush(300, Uint8Array.of(9))), "02ac0209");
  const long = encodePresence({ name: "é".repeat(60), colour: 0xabcdef, selections: [] });
  assert.equal(long[1], 64);
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i & 255);
  assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
});

test("text is cleaned, cut and compared without breaking a character", () => {
  assert.equal(cleanText("a\r\nb\rc\0\ud800d\udc00😀"), "a\nb\nc\ufffd\ufffdd\ufffd😀");
  const rng = new Rng(seedFor("text"));
  for (let i = 0; i < 2_000; ++i) {
    const from = randomText(rng, 12);
    const to = rng.chance(0.5) ? randomText(rng, 12) : from.slice(0, 3) + from.slice(4);
    const parts = [...partsOf(from, rng.below(5) + 2)];
    assert.equal(parts.join(""), from);
    for (const part of parts) assert.equal(cleanText(part), part);
    const change = difference(from, cleanText(to));
    if (change === null) continue;
    const { at, erased, inserted } = change;
    assert.equal(from.slice(0, at) + inserted + from.slice(at + erased), cleanText(to));
    assert.equal(cleanText(inserted), inserted);
    assert.equal(cleanText(from.slice(at, at + erased)), from.slice(at, at + erased));
  }
});
