// The core in JavaScript's hands: WeftDocument is one replica of one text, the C++ class
// rga::Document behind weft.wasm. Positions are UTF-16 code units, as in every JavaScript string.
// Nothing here does I/O; whoever loads the module's bytes is the caller's business.
//
// A WebAssembly.RuntimeError out of a call means that a bug was found; the Core that threw it must
// not be used any further.

/** Sticks to one element: `before` is the gap to its left, `after` the gap to its right. */
export interface Anchor {
  readonly sid: number;
  readonly seq: number;
  readonly side: Side;
}
export enum Side {
  before = 0,
  after = 1,
}

/** At `at`, remove `erased` code units and put `inserted`; relative to the patches before it. */
export interface Patch {
  readonly at: number;
  readonly erased: number;
  readonly inserted: string;
}

/** Why a local edit was refused. Nothing was changed. The numbers are rga::EditOutcome's. */
export enum EditOutcome {
  done = 0,
  outOfRange = 1,
  badText = 2,
  noSite = 3,
  documentFull = 4,
}

/** `refused` is 0, an rga::ApplyOutcome, or 100 for bytes that are no operation stream. */
export interface Applied {
  readonly refused: number;
  /** Operations integrated or already known, counted up to the first that was refused. */
  readonly rows: number;
  readonly patches: Patch[];
}

interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  alloc(size: number): number;
  release(at: number): void;
  doc_new(ssn: number): number;
  doc_load(at: number, size: number): number;
  doc_free(doc: number): void;
  doc_set_site(doc: number, sid: number): void;
  doc_insert(doc: number, at: number, text: number, size: number): number;
  doc_insert_char(doc: number, at: number, scalar: number): number;
  doc_erase(doc: number, at: number, count: number): number;
  doc_outbox(doc: number): number;
  doc_bytes_size(doc: number): number;
  doc_apply(doc: number, at: number, size: number, withPatches: number): number;
  doc_feed(doc: number, at: number, size: number): number;
  doc_rows(doc: number): number;
  doc_patches(doc: number): number;
  doc_patch_count(doc: number): number;
  doc_text(doc: number): number;
  doc_save(doc: number): number;
  doc_length(doc: number): number;
  doc_elements(doc: number): number;
  doc_ssn(doc: number): number;
  doc_sum(doc: number): number;
  doc_seq_of(doc: number, sid: number): number;
  doc_state_hash(doc: number): number;
  doc_anchor_at(doc: number, at: number, side: number): number;
  doc_resolve(doc: number, sid: number, seq: number, side: number): number;
  doc_snap(doc: number, at: number): number;
  doc_line_column(doc: number, at: number): number;
  doc_from_line_column(doc: number, line: number, column: number): number;
  doc_line_count(doc: number): number;
}

/** A loop copies this many bytes sooner than a call of set() does. */
const shortBytes = 64;

/** One instance of the module; makes documents. */
export class Core {
  readonly #exports: Exports;
  readonly #encoder = new TextEncoder();
  // A byte order mark inside a document is a character like any other.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #heap = new Uint8Array(0);
  #words = new Uint32Array(0);
  #scratch = 0;
  #scratchSize = 0;

  private constructor(exports: Exports) {
    // A copy, because calls through the module's own frozen object are slower.
    this.#exports = { ...exports };
    exports._initialize();
  }

  /** The bytes of weft.wasm, or the compiled module. */
  static async load(source: BufferSource | WebAssembly.Module): Promise<Core> {
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    const instance = await WebAssembly.instantiate(module, {});
    return new Core(instance.exports as unknown as Exports);
  }

  newDocument(ssn = 1): WeftDocument {
    return new WeftDocument(this, this.#exports.doc_new(ssn));
  }

  /** Null for anything that save() did not write. */
  loadDocument(snapshot: Uint8Array): WeftDocument | null {
    const doc = this.#exports.doc_load(this.give(snapshot), snapshot.length);
    return doc === 0 ? null : new WeftDocument(this, doc);
  }

  /** @internal */
  get exports(): Exports {
    return this.#exports;
  }

  /** @internal The module's memory as bytes. Made anew when the memory has grown. */
  get heap(): Uint8Array {
    if (this.#heap.length === 0) this.#look();  // growing the memory detaches what looked at it
    return this.#heap;
  }

  /** @internal The same as 32-bit words. */
  get words(): Uint32Array {
    if (this.#words.length === 0) this.#look();
    return this.#words;
  }

  #look(): void {
    this.#heap = new Uint8Array(this.#exports.memory.buffer);
    this.#words = new Uint32Array(this.#exports.memory.buffer);
  }

  /** @internal Copies bytes into the module; they stay there until the next give. */
  give(bytes: Uint8Array, from = 0, to = bytes.length): number {
    const size = to - from;
    const at = this.#room(size);
    const heap = this.heap;
    if (size <= shortBytes) {
      for (let i = 0; i < size; i++) heap[at + i] = bytes[from + i]!;
    } else {
      heap.set(size === bytes.length ? bytes : bytes.subarray(from, to), at);
    }
    return at;
  }

  /** @internal The same for text; answers with its address and UTF-8 length. */
  giveText(text: string): [at: number, size: number] {
    const most = text.length * 3;
    const at = this.#room(most);
    const view = this.heap.subarray(at, at + most);
    return [at, this.#encoder.encodeInto(text, view).written ?? 0];
  }

  /** @internal */
  takeBytes(at: number, size: number): Uint8Array {
    const heap = this.heap;
    if (size > shortBytes) return heap.slice(at, at + size);
    const taken = new Uint8Array(size);
    for (let i = 0; i < size; i++) taken[i] = heap[at + i]!;
    return taken;
  }

  /** @internal */
  takeText(at: number, size: number): string {
    const heap = this.heap;
    if (size <= 4) {
      // What people type is short: a TextDecoder call costs more than the whole rest of the way.
      let text = "";
      for (let i = at; i < at + size; i++) {
        const byte = heap[i]!;
        if (byte >= 0x80) return this.#decoder.decode(heap.subarray(at, at + size));
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return this.#decoder.decode(heap.subarray(at, at + size));
  }

  #room(size: number): number {
    if (size > this.#scratchSize || this.#scratch === 0) {
      const fresh = Math.max(4096, size + (size >> 1));
      this.#exports.release(this.#scratch);
      this.#scratch = this.#exports.alloc(fresh);
      this.#scratchSize = this.#scratch === 0 ? 0 : fresh;
      if (this.#scratch === 0) throw new RangeError("weft: out of memory");
    }
    return this.#scratch;
  }
}

export class WeftDocument {
  readonly #core: Core;
  readonly #exports: Exports;
  #doc: number;
  /** Three words: where the bytes of local operations are, their size, and whether to cut. */
  readonly #outbox: number;

  /** @internal Made by Core. */
  constructor(core: Core, doc: number) {
    this.#core = core;
    this.#exports = core.exports;
    this.#doc = doc;
    this.#outbox = core.exports.doc_outbox(doc) >> 2;
  }

  /** Gives the memory back. The document must not be used afterwards. */
  free(): void {
    this.#exports.doc_free(this.#doc);
    this.#doc = 0;
  }

  get ssn(): number {
    return this.#exports.doc_ssn(this.#doc);
  }
  /** Operations' elements applied so far. */
  get sum(): number {
    return this.#exports.doc_sum(this.#doc);
  }
  /** In UTF-16 code units. */
  get length(): number {
    return this.#exports.doc_length(this.#doc);
  }
  /** Visible elements and tombstones. */
  get elements(): number {
    return this.#exports.doc_elements(this.#doc);
  }
  get lineCount(): number {
    return this.#exports.doc_line_count(this.#doc);
  }
  /** The last known seq of a site, 0 if unknown. */
  seqOf(sid: number): number {
    return this.#exports.doc_seq_of(this.#doc, sid);
  }
  text(): string {
    const at = this.#exports.doc_text(this.#doc);
    return this.#core.takeText(at, this.#exports.doc_bytes_size(this.#doc));
  }
  stateHash(): bigint {
    const at = this.#exports.doc_state_hash(this.#doc);
    return new DataView(this.#exports.memory.buffer).getBigUint64(at, true);
  }
  /** A snapshot of the state, without what was not taken by takeOps. */
  save(): Uint8Array {
    const at = this.#exports.doc_save(this.#doc);
    return this.#core.takeBytes(at, this.#exports.doc_bytes_size(this.#doc));
  }

  /** The site that local edits are made as. */
  setSite(sid: number): void {
    this.#exports.doc_set_site(this.#doc, sid);
  }

  /** Text with U+0000 is refused, a lone surrogate becomes U+FFFD (see text.ts). */
  insert(at: number, text: string): EditOutcome {
    const scalar = text.codePointAt(0);
    if (scalar !== undefined && text.length === (scalar > 0xffff ? 2 : 1)) {
      return this.#exports.doc_insert_char(this.#doc, at, scalar);
    }
    if (scalar === undefined) return EditOutcome.done;
    const [address, size] = this.#core.giveText(text);
    return this.#exports.doc_insert(this.#doc, at, address, size);
  }
  erase(at: number, count: number): EditOutcome {
    return this.#exports.doc_erase(this.#doc, at, count);
  }

  /** Bytes of local operations that were not taken yet. */
  get opsSize(): number {
    return this.#core.words[this.#outbox + 1]!;
  }
  /** The local operations since the last call: an operation stream that stands alone. */
  takeOps(): Uint8Array {
    const words = this.#core.words;
    const taken = this.#core.takeBytes(words[this.#outbox]!, words[this.#outbox + 1]!);
    words[this.#outbox + 1] = 0;
    words[this.#outbox + 2] = 1;
    return taken;
  }

  /**
   * Copies the local operations since the last call to `target`, from `at` on, and answers with
   * their size. All that was moved so and is moved later is one operation stream.
   */
  moveOps(target: Uint8Array, at: number): number {
    const words = this.#core.words;
    const from = words[this.#outbox]!;
    const size = words[this.#outbox + 1]!;
    if (size > target.length - at) throw new RangeError("weft: no room for the operations");
    const heap = this.#core.heap;
    if (size <= shortBytes) {
      for (let i = 0; i < size; i++) target[at + i] = heap[from + i]!;
    } else {
      target.set(heap.subarray(from, from + size), at);
    }
    words[this.#outbox + 1] = 0;
    return size;
  }

  /** Integrates an operation stream, up to the first operation that is refused. */
  apply(stream: Uint8Array): Applied {
    const refused = this.#exports.doc_apply(this.#doc, this.#core.give(stream), stream.length, 1);
    const count = this.#exports.doc_patch_count(this.#doc);
    const patches: Patch[] = [];
    if (count > 0) {
      const words = this.#core.words;
      const first = this.#exports.doc_patches(this.#doc) >> 2;
      for (let i = first; i < first + 4 * count; i += 4) {
        const size = words[i + 3]!;
        patches.push({
          at: words[i]!,
          erased: words[i + 1]!,
          inserted: size === 0 ? "" : this.#core.takeText(words[i + 2]!, size),
        });
      }
    }
    return { refused, rows: this.#exports.doc_rows(this.#doc), patches };
  }

  /**
   * Integrates the operations that moveOps() of another document gave, piece by piece as they come:
   * the bytes [from, to) of `stream`. Without patches; answers with `refused`.
   */
  feed(stream: Uint8Array, from = 0, to = stream.length): number {
    return this.#exports.doc_feed(this.#doc, this.#core.give(stream, from, to), to - from);
  }

  /** apply() of the bytes [from, to) for a document that nobody looks at: answers with `refused`. */
  integrate(stream: Uint8Array, from = 0, to = stream.length): number {
    return this.#exports.doc_apply(this.#doc, this.#core.give(stream, from, to), to - from, 0);
  }

  anchorAt(at: number, side: Side): Anchor {
    const address = this.#exports.doc_anchor_at(this.#doc, at, side);
    const view = new DataView(this.#exports.memory.buffer, address);
    return {
      sid: view.getFloat64(0, true),
      seq: view.getFloat64(8, true),
      side: view.getUint32(16, true),
    };
  }
  /** Null when the element is unknown here (yet). */
  resolve(anchor: Anchor): number | null {
    const at = this.#exports.doc_resolve(this.#doc, anchor.sid, anchor.seq, anchor.side);
    return at < 0 ? null : at;
  }

  /** `at`, or the start of the character that `at` would cut in two. Clamped to the text. */
  snap(at: number): number {
    return this.#exports.doc_snap(this.#doc, at);
  }

  /** Both from 0; the column counts characters (scalar values), not code units. */
  lineColumn(at: number): { line: number; column: number } {
    const address = this.#exports.doc_line_column(this.#doc, at);
    const view = new DataView(this.#exports.memory.buffer, address);
    return { line: view.getUint32(0, true), column: view.getUint32(4, true) };
  }
  fromLineColumn(line: number, column: number): number {
    return this.#exports.doc_from_line_column(this.#doc, line, column);
  }
}
