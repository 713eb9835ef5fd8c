// Replica: a document together with what its owner has to remember about the log: how far it was
// applied, and which own operations the server has not acknowledged. Pure; connection.ts moves the bytes.
//
// Local operations first gather in the document's writer (open), then are sealed into a Push. A sealed
// push never changes any more: after a reconnect the very same bytes travel again, and the server
// recognises what it already has.
import { EditOutcome, type Patch, type WeftDocument } from "./core.js";
import type { HeldState } from "./protocol.js";
import { partsOf } from "./text.js";

/** Own operations, sealed: all made on the log up to `base`. */
export interface Push {
  readonly base: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: Uint8Array;
}

/** The log and this state do not fit together: join anew without a state. */
export class Diverged extends Error {
  override name = "Diverged";
}

interface Lineage {
  readonly incarnation: string;
  readonly ssn: number;
  readonly sid: number;
}

export function sameLineage(a: Lineage, b: Lineage): boolean {
  return a.incarnation === b.incarnation && a.ssn === b.ssn && a.sid === b.sid;
}

/** What a hello says about the state that is there already. */
export function heldState(replica: Replica): HeldState {
  const { incarnation, ssn, applied, ackedSeq } = replica;
  return { incarnation, ssn, applied, ackedSeq };
}

// The server takes 16,384 operations and max_message_bytes in one push. One step of an edit adds at
// most maxErase operations or 3 × maxInsert bytes to what is open, so both limits are kept by sealing
// at half of them.
const maxOpenOperations = 8_000;
const maxErase = 8_000;
const maxInsert = 64 << 10;

export class Replica {
  readonly document: WeftDocument;
  readonly incarnation: string;
  readonly ssn: number;
  readonly sid: number;
  #applied: number;
  #ackedSeq: number;
  #sealedSeq: number;
  #pending: Push[];
  #openBase = 0;
  #openOperations = 0;
  #maxOpenBytes: number;

  /** `pending` are already in the document. */
  constructor(from: {
    document: WeftDocument;
    incarnation: string;
    ssn: number;
    sid: number;
    applied: number;
    ackedSeq: number;
    pending: readonly Push[];
    maxMessageBytes: number;
  }) {
    this.document = from.document;
    this.incarnation = from.incarnation;
    this.ssn = from.ssn;
    this.sid = from.sid;
    this.#applied = from.applied;
    this.#ackedSeq = from.ackedSeq;
    this.#pending = [...from.pending];
    this.#sealedSeq = from.document.seqOf(from.sid);
    this.#maxOpenBytes = Math.max(1024, Math.floor(from.maxMessageBytes / 2));
    this.document.setSite(from.sid);
  }

  /** Last log index applied. */
  get applied(): number {
    return this.#applied;
  }
  /** Last own seq that is known to be durable. */
  get ackedSeq(): number {
    return this.#ackedSeq;
  }
  /** Sealed and not acknowledged, oldest first. */
  get pending(): readonly Push[] {
    return this.#pending;
  }
  /** Characters inserted or deleted here that the server has not acknowledged. */
  get unsaved(): number {
    return this.document.seqOf(this.sid) - this.#ackedSeq;
  }

  insert(at: number, text: string): EditOutcome {
    for (const part of partsOf(text, Math.min(maxInsert, this.#maxOpenBytes >> 2))) {
      const outcome = this.#edit(1, () => this.document.insert(at, part));
      if (outcome !== EditOutcome.done) return outcome;
      at += part.length;
    }
    return EditOutcome.done;
  }

  erase(at: number, count: number): EditOutcome {
    while (count > 0) {
      let step = Math.min(count, maxErase);
      // A step that ends inside a surrogate pair takes one code unit more, so that nothing is left.
      if (step < count && this.#splitsPair(at + step)) ++step;
      const outcome = this.#edit(step, () => this.document.erase(at, step));
      if (outcome !== EditOutcome.done) return outcome;
      count -= step;
    }
    return EditOutcome.done;
  }

  /** Closes what is open, so that the next edit starts another push. */
  seal(): void {
    if (this.document.opsSize === 0) return;
    const lastSeq = this.document.seqOf(this.sid);
    const bytes = this.document.takeOps();
    this.#pending.push({ base: this.#openBase, firstSeq: this.#sealedSeq + 1, lastSeq, bytes });
    this.#sealedSeq = lastSeq;
    this.#openOperations = 0;
  }

  /** Rows of the log, own ones included; answers with what they change. Throws Diverged. */
  applyRows(firstIndex: number, count: number, operations: Uint8Array): Patch[] {
    this.seal();  // what was made before these rows did not know them
    if (firstIndex > this.#applied + 1) {
      throw new Diverged(`rows ${this.#applied + 1} to ${firstIndex - 1} are missing`);
    }
    const { refused, rows, patches } = this.document.apply(operations);
    if (refused !== 0 || rows !== count) {
      throw new Diverged(`row ${firstIndex + rows} does not fit (${refused})`);
    }
    this.#applied = Math.max(this.#applied, firstIndex + count - 1);
    return patches;
  }

  /** Own operations up to `seq` are durable; rows up to `index` are all here. */
  acknowledge(seq: number, index: number): void {
    this.noteAcked(seq);
    this.#applied = Math.max(this.#applied, index);
  }

  /** The same without an index: what a welcome says. */
  noteAcked(seq: number): void {
    if (seq > this.#sealedSeq) throw new Diverged(`own seq ${seq} was never sent`);
    if (seq <= this.#ackedSeq) return;
    this.#ackedSeq = seq;
    const first = this.#pending.findIndex((push) => push.lastSeq > seq);
    this.#pending = first < 0 ? [] : this.#pending.slice(first);
  }

  #edit(operations: number, apply: () => EditOutcome): EditOutcome {
    if (this.document.opsSize === 0) this.#openBase = this.#applied;
    const outcome = apply();
    this.#openOperations += operations;
    const full =
      this.#openOperations >= maxOpenOperations || this.document.opsSize >= this.#maxOpenBytes;
    if (full) this.seal();
    return outcome;
  }

  #splitsPair(at: number): boolean {
    // The document snaps an offset inside a pair to the pair's start.
    return this.document.snap(at) !== at;
  }
}
