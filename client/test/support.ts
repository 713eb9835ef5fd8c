// What the tests share: the core, seeds, and a random source that can be replayed.
import { readFileSync } from "node:fs";
import { Core } from "../src/core.js";

const root = new URL("../../../../", import.meta.url);  // of the repository, from client/dist/tested/test

export function wasmBytes(): Uint8Array<ArrayBuffer> {
  const path = process.env.WEFT_WASM ?? new URL("build/wasm/weft.wasm", root);
  return new Uint8Array(readFileSync(path));
}

export function loadCore(): Promise<Core> {
  return Core.load(wasmBytes());
}

export function repositoryPath(path: string): URL {
  return new URL(path, root);
}

/** WEFT_SEED=n replays a run; every run prints its own. */
export function seedFor(test: string): number {
  const given = process.env.WEFT_SEED;
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`${test}: WEFT_SEED=${seed}`);
  return seed;
}

/** xorshift32 with a scrambled seed: small, and the same everywhere. */
export class Rng {
  #state: number;
  constructor(seed: number) {
    this.#state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ 0x5bd1e995) | 1;
  }
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) / 2 ** 32;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

const pieces = ["a", "b", " ", "\n", "if (x) {\n", "é", "ß", "漢字", "😀", "👩‍👩‍👧", "\ufeff", "word ", "}\n"];

export function randomText(rng: Rng, most = 6): string {
  let text = "";
  for (let i = rng.below(most) + 1; i > 0; --i) text += rng.pick(pieces);
  return text;
}

/** A random offset that is not inside a surrogate pair. */
export function randomGap(rng: Rng, text: string): number {
  return snap(text, rng.below(text.length + 1));
}

/** A random range of less than `most` code units, possibly empty. */
export function randomRange(rng: Rng, text: string, most: number): [from: number, to: number] {
  const from = randomGap(rng, text);
  const to = snap(text, Math.min(text.length, from + rng.below(most)));
  return [from, Math.max(from, to)];
}

function snap(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
