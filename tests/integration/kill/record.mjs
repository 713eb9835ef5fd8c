// What was typed, what was erased, and what of it a server acknowledged: kept by the test, outside of
// the server and of the writers' replicas. Every character is typed only once in a whole test, so that
// "lost" and "doubled" can be counted by looking at a text.
import assert from "node:assert/strict";

/** Scalar values that look like something: CJK, Hangul, then the astral plane 2. */
export function* uniqueCharacters() {
  for (const [from, to] of [[0x4e00, 0x9fff], [0xac00, 0xd7a3], [0x20000, 0x2a6df]]) {
    for (let scalar = from; scalar <= to; ++scalar) yield String.fromCodePoint(scalar);
  }
}

export class Record {
  #typed = new Map();   // character -> {sid, seq}
  #erasers = new Map();  // "sid.seq" of a character -> [{sid, seq}]
  #characters = new Map();  // "sid.seq" -> character
  #acked = new Map();   // sid -> seq

  /** Before it is sent. `chars` got the seqs from `seq` on. */
  typed(sid, seq, chars) {
    for (const [i, char] of chars.entries()) {
      assert.ok(!this.#typed.has(char), "every character is typed once");
      this.#typed.set(char, { sid, seq: seq + i });
      this.#characters.set(`${sid}.${seq + i}`, char);
    }
  }
  erased(sid, seq, target) {
    const key = `${target.sid}.${target.seq}`;
    assert.ok(this.#characters.has(key), "only what was typed is erased");
    if (!this.#erasers.has(key)) this.#erasers.set(key, []);
    this.#erasers.get(key).push({ sid, seq });
  }
  acknowledged(sid, seq) {
    assert.ok(seq >= this.ackedSeq(sid), "acknowledgements do not go back");
    this.#acked.set(sid, seq);
  }
  ackedSeq(sid) {
    return this.#acked.get(sid) ?? 0;
  }
  get ackedCount() {
    return [...this.#acked.values()].reduce((sum, seq) => sum + seq, 0);
  }
  get sids() {
    return [...this.#acked.keys()];
  }
  characterOf(id) {
    return this.#characters.get(`${id.sid}.${id.seq}`);
  }

  /**
   * To be taken before a text is asked for: what has to be in it, and what must not be. Later the
   * text is held against it, with regard to what was sent meanwhile.
   */
  promise() {
    const isAcked = ({ sid, seq }) => seq <= this.ackedSeq(sid);
    const present = [];
    const absent = [];
    for (const [char, id] of this.#typed) {
      const erasers = this.#erasers.get(`${id.sid}.${id.seq}`) ?? [];
      if (erasers.some(isAcked)) absent.push(char);
      else if (isAcked(id)) present.push(char);
    }
    return { present, absent };
  }

  /** What is wrong with a text, as sentences; none if the promise is kept. */
  breaches(text, { present, absent }) {
    const counts = new Map();
    for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
    const lost = present.filter((char) => !counts.has(char) && !this.#isBeingErased(char));
    const risen = absent.filter((char) => counts.has(char));
    const doubled = [...counts].filter(([, count]) => count > 1).map(([char]) => char);
    const strange = [...counts.keys()].filter((char) => !this.#typed.has(char));
    return Object.entries({ lost, "risen from the dead": risen, doubled, "never typed": strange })
      .filter(([, chars]) => chars.length > 0)
      .map(([what, chars]) => `${chars.length} ${what}: ${chars.slice(0, 5).map((c) => this.#name(c)).join(", ")}`);
  }

  /** An eraser was sent, perhaps after the promise was taken: the character may be there or not. */
  #isBeingErased(char) {
    const { sid, seq } = this.#typed.get(char);
    return this.#erasers.has(`${sid}.${seq}`);
  }
  #name(char) {
    const id = this.#typed.get(char);
    return `${char} (${id ? `site ${id.sid}, seq ${id.seq}, acknowledged up to ${this.ackedSeq(id.sid)}` : "?"})`;
  }
}
