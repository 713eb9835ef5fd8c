// The native core and weft.wasm, driven with the same random edits on three replicas that exchange
// operations in random order: equal outcomes, operation bytes, patches, anchors, snapshots, texts and
// state hashes. WEFT_NATIVE_DRIVER names the program (tests/differential/native_driver.cc).
import assert from "node:assert/strict";
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Side, type Anchor, type WeftDocument } from "../src/core.js";
import { Rng, loadCore, randomGap, randomRange, randomText, repositoryPath, seedFor } from "./support.js";

class NativeDriver {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    const path =
      process.env.WEFT_NATIVE_DRIVER ?? fileURLToPath(repositoryPath("build/release/native_driver"));
    assert.ok(existsSync(path), `${path} is missing: cmake --build --preset release -t native_driver`);
    this.#process = spawn(path);
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }
  async ask(...command: (string | number)[]): Promise<string> {
    this.#process.stdin.write(command.join(" ") + "\n");
    const { value, done } = await this.#answers.next();
    assert.ok(!done, `the driver ended at: ${command.join(" ").slice(0, 200)}`);
    return value as string;
  }
  stop(): void {
    this.#process.stdin.end();
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex") || "-";
const hexText = (text: string) => Buffer.from(text, "utf8").toString("hex") || "-";
const anchorText = ({ sid, seq, side }: Anchor) => `${sid}:${seq}:${side}`;

test("native and wasm agree on every step", async () => {
  const rng = new Rng(seedFor("differential"));
  const core = await loadCore();
  const driver = new NativeDriver();
  const names = ["a", "b", "c"];
  const replicas: WeftDocument[] = [];
  // Streams of every replica, and how many of them each replica has seen: causal by construction,
  // because a replica reads another's streams only together with what that one had read.
  const log: { author: number; bytes: Uint8Array; needs: number[] }[] = [];
  const seen = names.map(() => new Set<number>());
  for (const [i, name] of names.entries()) {
    const document = core.newDocument(1);
    document.setSite(i + 1);
    replicas.push(document);
    assert.equal(await driver.ask("new", name, 1, i + 1), "ok");
  }
  const deliver = async (to: number, index: number): Promise<void> => {
    if (seen[to]!.has(index)) return;
    const entry = log[index]!;
    for (const need of entry.needs) await deliver(to, need);
    seen[to]!.add(index);
    const { refused, patches } = replicas[to]!.apply(entry.bytes);
    const words = patches.map((p) => `${p.at}:${p.erased}:${hexText(p.inserted)}`);
    const wasm = [refused, ...words].join(" ");
    assert.equal(await driver.ask("apply", names[to]!, hex(entry.bytes)), wasm);
    assert.equal(refused, 0);
  };

  const steps = Number(process.env.WEFT_STEPS ?? 1500);
  for (let step = 0; step < steps; ++step) {
    const r = rng.below(names.length);
    const name = names[r]!;
    const document = replicas[r]!;
    const text = document.text();
    if (text.length > 0 && rng.chance(0.3)) {
      const [from, to] = randomRange(rng, text, 12);
      const outcome = document.erase(from, to - from);
      if (to > from) assert.equal(await driver.ask("erase", name, from, to - from), `${outcome}`);
    } else {
      const at = randomGap(rng, text);
      const inserted = randomText(rng);
      const outcome = document.insert(at, inserted);
      assert.equal(await driver.ask("insert", name, at, hexText(inserted)), String(outcome));
    }
    if (rng.chance(0.5)) {
      const bytes = document.takeOps();
      assert.equal(await driver.ask("take", name), hex(bytes));
      if (bytes.length > 0) {
        log.push({ author: r, bytes, needs: [...seen[r]!] });
        seen[r]!.add(log.length - 1);
      }
    }
    // Only without open operations: what is pushed must not depend on rows that came meanwhile.
    if (document.opsSize === 0 && log.length > 0 && rng.chance(0.3)) {
      await deliver(r, rng.below(log.length));
    }
    if (step % 20 === 0) {
      assert.equal(await driver.ask("hash", name), document.stateHash().toString(16));
      assert.equal(await driver.ask("text", name), hexText(document.text()));
      const at = randomGap(rng, document.text());
      const { line, column } = document.lineColumn(at);
      const before = document.anchorAt(at, Side.before);
      const after = document.anchorAt(at, Side.after);
      const place = `${line}:${column} ${anchorText(before)} ${anchorText(after)}`;
      assert.equal(await driver.ask("place", name, at), place);
      assert.equal(document.resolve(before), at);
      assert.equal(document.resolve(after), at);
      assert.equal(document.fromLineColumn(line, column), at);
    }
    if (step % 300 > 297 && document.opsSize === 0) {
      const snapshot = document.save();
      assert.equal(await driver.ask("save", name), hex(snapshot));
      assert.equal(await driver.ask("load", name, r + 1, hex(snapshot)), "ok");
      const loaded = core.loadDocument(snapshot);
      assert.ok(loaded);
      assert.equal(loaded.stateHash(), document.stateHash());
      loaded.setSite(r + 1);
      document.free();
      replicas[r] = loaded;
    }
  }
  for (const [r, name] of names.entries()) {
    const bytes = replicas[r]!.takeOps();
    assert.equal(await driver.ask("take", name), hex(bytes));
    if (bytes.length === 0) continue;
    log.push({ author: r, bytes, needs: [...seen[r]!] });
    seen[r]!.add(log.length - 1);
  }
  for (const [r, name] of names.entries()) {
    for (let i = 0; i < log.length; ++i) await deliver(r, i);
    const hash = replicas[r]!.stateHash().toString(16);
    assert.equal(await driver.ask("hash", name), hash);
    assert.equal(hash, replicas[0]!.stateHash().toString(16));
    assert.equal(replicas[r]!.text(), replicas[0]!.text());
  }
  driver.stop();
});
