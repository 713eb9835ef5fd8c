// The replicated growable array as the paper writes it: one linked node per element, no runs, no tree.
// (Roh, Jeon, Kim, Lee, JPDC 71(3), 2011, section 4.) It judges how concurrent histories must end.

export const head = "head";

export class NaiveReplica {
  #sid;
  #nodes = new Map([[head, { next: null }]]);
  #log = [];  // operations in the order in which they came here
  #length = 0;
  #known = new Map();  // by site: how many of its operations

  constructor(sid) {
    this.#sid = sid;
  }

  get length() {
    return this.#length;
  }

  text() {
    let text = "";
    for (let node = this.#first(); node !== null; node = visibleFrom(node.next)) text += node.char;
    return text;
  }

  /** A local edit at a position in scalar values. */
  splice(at, erased, inserted) {
    let left = head;
    let node = this.#first();
    for (let i = 0; i < at; ++i, node = visibleFrom(node.next)) left = node.id;
    for (let i = 0; i < erased; ++i, node = visibleFrom(node.next)) this.#make({ erases: node.id });
    for (const char of inserted) left = this.#make({ ref: left, char });
  }

  /** Takes over what the other knows. False when that was nothing new. */
  merge(other) {
    const before = this.#log.length;
    for (const op of other.#log) {
      if (op.seq <= (this.#known.get(op.sid) ?? 0)) continue;
      this.integrate(op);
    }
    return this.#log.length > before;
  }

  #make(what) {
    const seq = (this.#known.get(this.#sid) ?? 0) + 1;
    const op = { ...what, sid: this.#sid, seq, sum: this.#log.length + 1 };
    this.integrate(op);
    return nameOf(op);
  }

  /** {sid, seq, sum} and {ref, char} or {erases}; ref and erases are names. Causal order. */
  integrate(op) {
    this.#log.push(op);
    this.#known.set(op.sid, op.seq);
    if (op.erases !== undefined) {
      const target = this.#nodes.get(op.erases);
      if (!target.erased) --this.#length;
      target.erased = true;
      return;
    }
    let left = this.#nodes.get(op.ref);
    while (left.next !== null && precedes(op, left.next)) left = left.next;
    const node = { ...op, id: nameOf(op), erased: false, next: left.next };
    left.next = node;
    ++this.#length;
    this.#nodes.set(node.id, node);
  }

  #first() {
    return visibleFrom(this.#nodes.get(head).next);
  }
}

function visibleFrom(node) {
  while (node !== null && node.erased) node = node.next;
  return node;
}

/** Of an operation, and of the element that it makes. */
export const nameOf = (op) => `${op.sid}.${op.seq}`;
const precedes = (a, b) => a.sum < b.sum || (a.sum === b.sum && a.sid < b.sid);
