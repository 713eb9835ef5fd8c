// A long history of one author in the format of josephg/editing-traces, from a seed: somebody types
// on, backspaces, goes elsewhere, pastes now and then. For the benchmarks that get no file. How it
// must end is told by a gap buffer, in time that 260,000 edits do not feel.
import { Random } from "../tests/integration/replay/histories.mjs";

const letters = [..."etaoin shrdlu cmfwyp vbgkqjxz\n.,é"];

/** `wide`: now and then a character of two UTF-16 units. */
export function typingHistory(edits, { seed = 1, wide = false } = {}) {
  const random = new Random(seed);
  const text = new GapBuffer();
  const txns = [];
  let caret = 0;
  for (let i = 0; i < edits; ++i) {
    if (caret > text.length || random.chance(1 / 40)) caret = random.below(text.length + 1);
    const patch = [caret, 0, ""];
    if (random.chance(0.2) && caret > 0) {
      patch[0] = --caret;
      patch[1] = 1;
    } else {
      const count = random.chance(0.002) ? 20 + random.below(200) : 1;
      for (let n = 0; n < count; ++n) patch[2] += wide && random.chance(0.01) ? "😀" : random.pick(letters);
      caret += count;
    }
    text.splice(...patch);
    txns.push({ patches: [patch] });
  }
  return { startContent: "", endContent: text.toString(), txns };
}

/** Scalar values; counts the UTF-16 units to the left of a place, too. */
export class GapBuffer {
  #room = new Uint32Array(1024);
  #left = 0;
  #right = 1024; // where what is right of the gap begins
  #leftUnits = 0;

  constructor(text = "") {
    this.splice(0, 0, text);
  }
  get length() {
    return this.#left + this.#room.length - this.#right;
  }

  /** [the UTF-16 units before, those erased] */
  splice(at, erased, inserted) {
    this.#move(at);
    const before = this.#leftUnits;
    let erasedUnits = 0;
    for (let i = 0; i < erased; ++i) erasedUnits += units(this.#room[this.#right++]);
    for (const character of inserted) {
      if (this.#left === this.#right) this.#grow();
      const scalar = character.codePointAt(0);
      this.#room[this.#left++] = scalar;
      this.#leftUnits += units(scalar);
    }
    return [before, erasedUnits];
  }

  toString() {
    this.#move(this.length);
    const parts = [];
    for (let i = 0; i < this.#left; i += 4096) {
      parts.push(String.fromCodePoint(...this.#room.subarray(i, Math.min(this.#left, i + 4096))));
    }
    return parts.join("");
  }

  #move(at) {
    if (at > this.length) throw new RangeError(`${at} lies outside of a text of ${this.length}`);
    while (this.#left > at) {
      this.#leftUnits -= units((this.#room[--this.#right] = this.#room[--this.#left]));
    }
    while (this.#left < at) {
      this.#leftUnits += units((this.#room[this.#left++] = this.#room[this.#right++]));
    }
  }
  #grow() {
    const room = new Uint32Array(2 * this.#room.length);
    room.set(this.#room.subarray(0, this.#left));
    const right = room.length - (this.#room.length - this.#right);
    room.set(this.#room.subarray(this.#right), right);
    this.#room = room;
    this.#right = right;
  }
}

function units(scalar) {
  return scalar > 0xffff ? 2 : 1;
}
