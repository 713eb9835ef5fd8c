// A document on its way in: the parts of its snapshot, then the rows after it, until it has reached the
// index that the welcome named. Meanwhile the old one, if any, stays in view and can be edited.
import { MalformedMessage } from "./bytes.js";
import type { Core, WeftDocument } from "./core.js";
import type { Operations, SnapshotPart, Welcome } from "./protocol.js";
import { Diverged, type Push, Replica } from "./replica.js";

const maxSnapshotBytes = 1 << 30;
const defaultMaxMessageBytes = 1 << 20;

export class Arriving {
  readonly welcome: Welcome;
  readonly #core: Core;
  #parts: Uint8Array[] = [];
  #received = 0;
  #document: WeftDocument | null;
  #applied = 0;

  constructor(core: Core, welcome: Welcome) {
    this.welcome = welcome;
    this.#core = core;
    this.#document = welcome.snapshotFollows ? null : core.newDocument(welcome.ssn);
  }

  get applied(): number {
    return this.#applied;
  }
  get inSync(): boolean {
    return this.#document !== null && this.#applied >= this.welcome.lastIndex;
  }

  /** Throws MalformedMessage. */
  snapshot(part: SnapshotPart): void {
    const whole = this.welcome.snapshotBytes;
    const end = part.offset + part.bytes.length;
    const expected = this.#document === null && part.offset === this.#received;
    if (!expected || whole > maxSnapshotBytes || end > whole) {
      throw new MalformedMessage("an unexpected part of a snapshot");
    }
    this.#parts.push(part.bytes.slice());
    this.#received = end;
    if (end < whole) return;
    const bytes = new Uint8Array(whole);
    let at = 0;
    for (const piece of this.#parts) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#parts = [];
    this.#document = this.#core.loadDocument(bytes);
    this.#applied = part.atIndex;
    if (this.#document === null) throw new MalformedMessage("a damaged snapshot");
  }

  /** Throws Diverged. */
  rows({ firstIndex, count, operations }: Operations): void {
    if (this.#document === null || firstIndex > this.#applied + 1) {
      throw new Diverged("rows came before their past");
    }
    const { refused, rows } = this.#document.apply(operations);
    if (refused !== 0 || rows !== count) {
      throw new Diverged(`row ${firstIndex + rows} does not fit (${refused})`);
    }
    this.#applied = Math.max(this.#applied, firstIndex + count - 1);
  }

  /**
   * The document with own unacknowledged pushes on top, the caller's from now on; null when it does not
   * take them. REQUIRES: inSync, because a push may refer to any row up to its base.
   */
  take(pending: readonly Push[]): WeftDocument | null {
    const document = this.#document!;
    for (const push of pending) {
      if (document.apply(push.bytes).refused !== 0) return null;
    }
    this.#document = null;
    return document;
  }

  /** What `take` gave, with its place in the log. */
  replica(document: WeftDocument, pending: readonly Push[]): Replica {
    const { incarnation, ssn, sid, ackedSeq } = this.welcome;
    const maxMessageBytes = this.welcome.maxMessageBytes || defaultMaxMessageBytes;
    const applied = this.#applied;
    return new Replica(
      { document, incarnation, ssn, sid, applied, ackedSeq, pending, maxMessageBytes });
  }

  free(): void {
    this.#document?.free();
    this.#document = null;
  }
}
