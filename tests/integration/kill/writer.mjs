// A writer: types unique characters over a WebSocket, and when the server is gone connects again by
// itself and sends what was not acknowledged once more, byte for byte. Written from docs/PROTOCOL.md;
// it holds no text, only the identities that its operations need.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { decodeOperations } from "../../support-js/operations.mjs";
import {
  decodeServerMessage, encodeHeartbeatReply, encodeHello, encodePush, subprotocol,
} from "../../support-js/protocol.mjs";

const mostInFlight = 32;
// As the page's client has it.
const openTimeout = 5_000;
const welcomeTimeout = 10_000;

export class Writer {
  sid = 0;
  connections = 0;
  acksOnConnection = 0;
  resent = 0;
  refusals = 0;  // that said "come again"
  /** Of the hosts, the one that it speaks with or tries to. */
  host = null;
  /** The first thing that went against the protocol or the promises, if any. */
  failure = null;

  #client = randomUUID();
  #hosts;
  #id;
  #start;
  #record;
  #random;
  #characters;
  #state = null;  // { incarnation, ssn, applied, ackedSeq }
  #seq = 0;
  #sum = 0;  // elements of all operations that it knows
  #pending = [];  // { lastSeq, bytes, sent }
  #known = [];  // identities of elements
  #last = { sid: 0, seq: 0 };
  #socket = null;
  #heard = 0;  // when the server said something
  #heartbeatMs = 0;  // before the welcome: 0
  #joined = false;
  #snapshotDue = 0;
  #stopped = false;
  #erasing;

  /**
   * `start`: where the document stands that it joins, if somebody has typed in it before. `erasing`:
   * takes much of its own away again, in stretches, and like an editor never speaks of what it knows
   * to be erased: so tombstones may be purged. `hosts`: several servers, any of which will do.
   */
  constructor({ host, hosts = [host], id, record, random, characters, start = { index: 0, sum: 0 }, erasing = false }) {
    this.#start = start;
    this.#erasing = erasing;
    this.#hosts = hosts;
    this.#id = id;
    this.#record = record;
    this.#random = random;
    this.#characters = characters;
  }

  get pending() {
    return this.#pending.length;
  }
  get applied() {
    return this.#state?.applied ?? 0;
  }
  get joined() {
    return this.#joined;
  }

  /** Stays connected until stop(). */
  async run() {
    while (!this.#stopped) {
      await this.#connection();
      if (!this.#stopped) await sleep(10 + this.#random.below(60));
    }
  }
  stop() {
    this.#stopped = true;
    this.#socket?.close(1000);
  }
  dropConnection() {
    this.#socket?.terminate();
  }

  /** Types or erases a little, and pushes it. Nothing while it is not connected, or too far ahead. */
  type() {
    if (this.#state === null || this.#snapshotDue > 0 || this.#pending.length >= mostInFlight) return;
    const operations = [];
    for (let i = this.#random.below(3); i >= 0; --i) operations.push(this.#operation());
    const push = {
      lastSeq: this.#seq, bytes: encodePush(this.#state.applied, operations), sent: false,
    };
    this.#pending.push(push);
    this.#flush();
  }

  #operation() {
    const op = { ssn: this.#state.ssn, sum: this.#sum + 1, sid: this.sid, seq: this.#seq + 1 };
    const own = this.#erasing && this.#known.length > 20 && this.#random.chance(0.45) ? this.#ownStretch() : null;
    if (own !== null) {
      Object.assign(op, { kind: "erase", len: own.len, ref: own.ref });
      for (let i = 0; i < own.len; ++i) {
        this.#record.erased(op.sid, op.seq + i, { sid: own.ref.sid, seq: own.ref.seq + i });
      }
      this.#forget(own.ref, own.len);
    } else if (!this.#erasing && this.#known.length > 20 && this.#random.chance(0.1)) {
      Object.assign(op, { kind: "erase", len: 1, ref: this.#random.pick(this.#known) });
      this.#record.erased(op.sid, op.seq, op.ref);
    } else {
      const chars = Array.from({ length: 1 + this.#random.below(4) }, () => this.#characters.next().value);
      const ref = this.#known.length > 0 && this.#random.chance(0.15) ? this.#random.pick(this.#known) : this.#last;
      Object.assign(op, { kind: "insert", len: chars.length, ref, text: chars.join("") });
      this.#record.typed(op.sid, op.seq, chars);
      chars.forEach((_, i) => this.#known.push({ sid: op.sid, seq: op.seq + i }));
      this.#last = this.#known.at(-1);
    }
    this.#seq += op.len;
    this.#sum += op.len;
    return op;
  }

  /** Consecutive elements of its own that are not erased, or null. */
  #ownStretch() {
    const first = this.#random.below(this.#known.length);
    const ref = this.#known[first];
    if (ref.sid !== this.sid) return null;
    let len = 1;
    for (; len < 12; ++len) {
      const next = this.#known[first + len];
      if (next?.sid !== ref.sid || next.seq !== ref.seq + len) break;
    }
    return { ref, len };
  }

  #forget(ref, len) {
    const isGone = ({ sid, seq }) => sid === ref.sid && seq >= ref.seq && seq < ref.seq + len;
    this.#known = this.#known.filter((id) => !isGone(id));
    if (isGone(this.#last)) this.#last = this.#known.at(-1) ?? { sid: 0, seq: 0 };
  }

  /** The first one first; later any. */
  #nextHost() {
    return this.connections === 0 ? this.#hosts[0] : this.#random.pick(this.#hosts);
  }

  #connection() {
    return new Promise((resolve) => {
      this.host = this.#nextHost();
      const url = `ws://${this.host}/api/v1/documents/${this.#id}/ws`;
      const socket = new WebSocket(url, [subprotocol], { handshakeTimeout: openTimeout });
      socket.binaryType = "nodebuffer";
      this.#socket = socket;
      this.#joined = false;
      this.acksOnConnection = 0;
      this.#heard = Date.now();
      this.#heartbeatMs = 0;
      const looking = setInterval(() => this.#lookForSilence(), 500);
      socket.on("open", () => socket.send(encodeHello({ client: this.#client, state: this.#state })));
      socket.on("message", (bytes) => {
        this.#heard = Date.now();
        try {
          this.#receive(decodeServerMessage(bytes));
        } catch (error) {
          this.failure ??= error;
          this.stop();
        }
      });
      socket.on("error", () => {});
      socket.on("close", (code) => {
        clearInterval(looking);
        this.#joined = false;
        if (code >= 4400 && code < 4500) {
          this.failure ??= new Error(`the server closed for good: ${code}`);
          this.#stopped = true;
        }
        resolve();
      });
    });
  }

  /** Three heartbeats that did not come, or no welcome: the connection is dead. */
  #lookForSilence() {
    const limit = this.#heartbeatMs > 0 ? 3 * this.#heartbeatMs : welcomeTimeout;
    if (Date.now() - this.#heard > limit) this.#socket.terminate();
  }

  #receive(message) {
    switch (message?.kind) {
      case "welcome":
        return this.#onWelcome(message);
      case "operations":
        return this.#onOperations(message);
      case "ack":
        this.#state.applied = message.index;
        ++this.acksOnConnection;
        return this.#acknowledge(message.seq);
      case "heartbeat":
        return this.#socket.send(encodeHeartbeatReply(this.#state.applied));
      case "refused":
        // From 4500 on, and when the server restarts: come again later.
        if (message.closeCode >= 4500 || message.closeCode === 1012) return ++this.refusals;
        throw new Error(`refused: ${message.closeCode} ${message.code}: ${message.message}`);
      case "snapshot":
        return this.#onSnapshot(message);
    }
  }

  #onWelcome(welcome) {
    this.#heartbeatMs = welcome.heartbeatMs;
    if (this.#state === null) {
      this.sid = welcome.sid;
      this.#state = { incarnation: welcome.incarnation, ssn: welcome.ssn, applied: 0, ackedSeq: 0 };
      this.#snapshotDue = welcome.snapshotFollows ? welcome.snapshotBytes : 0;
    } else {
      assert.equal(welcome.snapshotFollows, false, "the missing rows are few");
    }
    assert.equal(welcome.sid, this.sid, "the same client gets the same site");
    assert.equal(welcome.incarnation, this.#state.incarnation);
    assert.ok(welcome.lastIndex >= this.#state.applied, "the log has not become shorter");
    assert.ok(welcome.ackedSeq >= this.#state.ackedSeq, "the server remembers what it acknowledged");
    ++this.connections;
    this.#joined = this.#snapshotDue === 0;
    this.#acknowledge(welcome.ackedSeq);
    for (const push of this.#pending) {
      if (push.sent) ++this.resent;
      push.sent = false;
    }
    this.#flush();
  }

  /** Only the first join brings one: of the document that nobody has typed in yet. */
  #onSnapshot({ atIndex, bytes }) {
    assert.equal(atIndex, this.#start.index, "writers join before anybody types");
    this.#state.applied = atIndex;
    this.#sum = this.#start.sum;
    this.#snapshotDue -= bytes.length;
    assert.ok(this.#snapshotDue >= 0, "a snapshot as long as announced");
    this.#joined = this.#snapshotDue === 0;
  }

  #onOperations({ firstIndex, count, bytes }) {
    assert.equal(firstIndex, this.#state.applied + 1, "rows come without gaps");
    const operations = decodeOperations(bytes);
    assert.equal(operations.length, count);
    for (const op of operations) {
      if (op.sid === this.sid) continue;
      this.#sum += op.len;
      if (this.#erasing && op.kind === "erase") this.#forget(op.ref, op.len);
      if (op.kind !== "insert") continue;
      for (let i = 0; i < op.len; ++i) this.#known.push({ sid: op.sid, seq: op.seq + i });
    }
    this.#state.applied = firstIndex + count - 1;
  }

  #acknowledge(seq) {
    assert.ok(seq <= this.#seq, "only what was sent is acknowledged");
    this.#state.ackedSeq = seq;
    this.#record.acknowledged(this.sid, seq);
    while (this.#pending.length > 0 && this.#pending[0].lastSeq <= seq) this.#pending.shift();
  }

  #flush() {
    if (!this.#joined) return;
    for (const push of this.#pending) {
      if (push.sent) continue;
      push.sent = true;
      this.#socket.send(push.bytes);
    }
  }
}
