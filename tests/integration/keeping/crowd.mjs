// What the tests of this folder share: the program as a command, and people who type.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { runWeft } from "../../support-js/server.mjs";
import { Record, uniqueCharacters } from "../kill/record.mjs";
import { Writer } from "../kill/writer.mjs";
import { Random, seedFor } from "../replay/histories.mjs";

/** Runs it; the exit code must be `code`. */
export async function weft(args, code = 0) {
  const result = await runWeft(args);
  assert.equal(result.code, code, `weft ${args.join(" ")}: ${result.stdout}${result.stderr}`);
  return result;
}

export async function until(what, condition) {
  for (const deadline = Date.now() + 20_000; !condition(); await sleep(3)) {
    assert.ok(Date.now() < deadline, `${what}: not within 20 s`);
  }
}

/** People who type on one document of a running server. */
export class Crowd {
  record = new Record();
  constructor(t, server, id, start) {
    this.random = new Random(seedFor(t));
    const characters = uniqueCharacters();
    this.writers = Array.from({ length: 3 }, () =>
      new Writer({ host: server.host, id, record: this.record, random: this.random, characters, start }));
    this.running = this.writers.map((writer) => writer.run());
    t.after(() => this.stop());
  }
  async joined() {
    await until("joining", () => this.writers.every((writer) => writer.joined));
  }
  async type(ms) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(this.random.below(5))) {
      this.random.pick(this.writers).type();
    }
  }
  async settle() {
    await until("the last acknowledgements", () => this.writers.every((w) => w.joined && w.pending === 0));
    for (const writer of this.writers) if (writer.failure !== null) throw writer.failure;
  }
  async stop() {
    this.writers.forEach((writer) => writer.stop());
    await Promise.all(this.running);
  }
}
