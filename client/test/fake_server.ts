// A server in memory that judges the client strictly: it speaks docs/PROTOCOL.md over sockets made of
// timers, commits with a delay, forgets everything uncommitted when it is killed, and fails the test
// when a client breaks a rule (a changed push, a gap, a wrong sum, a message before its hello).
import assert from "node:assert/strict";
import { ByteReader, ByteWriter } from "../src/bytes.js";
import type { Core, WeftDocument } from "../src/core.js";
import { OpKind, readOperations, type Operation } from "../src/operations.js";
import type { Socket, SocketEvents } from "../src/ports.js";
import { Kind } from "../src/protocol.js";
import { Rng } from "./support.js";
import type { VirtualTime } from "./virtual_time.js";

interface Frame {
  readonly firstIndex: number;
  readonly count: number;
  readonly base: number;
  readonly sid: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: Uint8Array;
  /** As the author pushed it, if it came late and was rebased. */
  readonly pushed?: Uint8Array;
}

type Ref = Operation["ref"];

const elements = (frame: Frame) => frame.lastSeq - frame.firstSeq + 1;
const lastIndexOf = (frame: Frame) => frame.firstIndex + frame.count - 1;
const newIncarnation = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

export class FakeServer {
  readonly core: Core;
  readonly time: VirtualTime;
  readonly rng: Rng;
  readonly frames: Frame[] = [];
  readonly sessions = new Set<FakeSession>();
  readonly sites = new Map<string, number>();
  document: WeftDocument;
  incarnation = newIncarnation(1);
  snapshot: { atIndex: number; bytes: Uint8Array } | null = null;
  up = true;
  /** Overrides: refuse the next hellos like this. */
  refuseWith: { code: number; name: string } | null = null;
  lieAboutHash = false;
  muted = false;
  /** Connections neither open nor fail, as behind a broken line. */
  dark = false;
  /** Of one message on its way; longer than the time between edits keeps several pushes in flight. */
  maxDelayMs = 20;
  tokens: string[] = [];
  /** What sessions are told they may do, after the welcome. */
  access: { role: number; expiresInS: number } | null = null;
  renewed: string[] = [];
  /** URLs that lead nowhere for now. */
  readonly unreachable = new Set<string>();
  /** Pushes on an older base are late. */
  horizon = 0;
  rebases = 0;
  readonly #leftOfPurged = new Map<string, Ref>();
  #sessionsMade = 0;
  #rebuilt = 1;

  constructor(core: Core, time: VirtualTime, seed: number) {
    this.core = core;
    this.time = time;
    this.rng = new Rng(seed);
    this.document = core.newDocument(1);
  }

  get lastIndex(): number {
    const last = this.frames.at(-1);
    return last === undefined ? 0 : lastIndexOf(last);
  }

  open(url: string, events: SocketEvents): Socket {
    const session = new FakeSession(this, events, ++this.#sessionsMade);
    this.sessions.add(session);
    if (this.dark) return session;
    this.time.after(this.delay(), () => {
      if (this.up && !this.unreachable.has(url)) session.deliver(() => events.opened());
      else session.drop(1006, "refused");
    });
    return session;
  }

  /** kill -9: what was not committed is gone, and so is every connection. */
  kill(): void {
    this.up = false;
    this.dropAll(1006);
  }
  dropAll(code: number, reason = ""): void {
    for (const session of [...this.sessions]) session.drop(code, reason);
  }
  restart(): void {
    this.up = true;
  }
  /** As if restored from another backup: same text, other lineage. */
  rebuild(): void {
    this.incarnation = newIncarnation(++this.#rebuilt);
    this.dropAll(4409, "rebuilt");
  }
  takeSnapshot(): void {
    this.snapshot = { atIndex: this.lastIndex, bytes: this.document.save() };
  }
  /** Takes tombstones out; `left` is what stands before them. Everything so far becomes the horizon. */
  purge(first: Ref, len: number, left: Ref): void {
    const sid = 900;
    const firstSeq = this.seqOf(sid) + 1;
    this.horizon = this.lastIndex;
    const op = { kind: OpKind.purge, len, ssn: 1, sum: this.document.sum + 1, sid, seq: firstSeq };
    const bytes = encodeOperation({ ...op, ref: first, text: "" });
    assert.equal(this.document.apply(bytes).refused, 0, "the server's document refuses the purge");
    for (let i = 0; i < len; ++i) this.#leftOfPurged.set(`${first.sid} ${first.seq + i}`, left);
    const lastSeq = firstSeq + len - 1;
    const firstIndex = this.lastIndex + 1;
    const frame = { firstIndex, count: 1, base: this.horizon, sid, firstSeq, lastSeq, bytes };
    this.frames.push(frame);
    for (const session of this.sessions) if (session.welcomed) session.send(rows(frame));
  }
  seqOf(sid: number): number {
    return this.document.seqOf(sid);
  }
  delay(): number {
    return this.rng.below(this.maxDelayMs);
  }

  commit(author: FakeSession, base: number, bytes: Uint8Array): void {
    const ops = [...readOperations(bytes)];
    const first = ops[0]!;
    const last = ops.at(-1)!;
    const firstSeq = first.seq;
    const lastSeq = last.seq + last.len - 1;
    const known = this.seqOf(author.sid);
    if (lastSeq <= known) {
      const before = this.frames.find((f) => f.sid === author.sid && f.firstSeq === firstSeq);
      assert.deepEqual(before?.pushed ?? before?.bytes, bytes, "a push was changed after it had been sent");
      author.ack(lastSeq);
      return;
    }
    assert.equal(firstSeq, known + 1, "a gap in the own sequence, or a push cut differently");
    this.#judge(author.sid, base, ops);
    const { sid } = author;
    const late = base < this.horizon || first.sum <= this.#lastSumOf(sid);
    const pushed = bytes;
    if (late) {
      bytes = this.#rebased(ops);
      base = this.lastIndex;
      author.rebased = true;
      ++this.rebases;
    }
    const { refused } = this.document.apply(bytes);
    assert.equal(refused, 0, "the server's document refuses the push");
    const count = ops.length;
    const firstIndex = this.lastIndex + 1;
    const frame = { firstIndex, count, base, sid, firstSeq, lastSeq, bytes, pushed };
    this.frames.push(frame);
    for (const session of this.sessions) {
      if (session === author) session.ack(lastSeq);
      else if (session.welcomed) session.send(rows(frame));
    }
  }

  #lastSumOf(sid: number): number {
    const last = this.frames.filter((frame) => frame.sid === sid).at(-1);
    const op = last && [...readOperations(last.bytes)].at(-1)!;
    return op === undefined ? 0 : op.sum + op.len - 1;
  }
  /** The same operations on what there is now. */
  #rebased(ops: readonly Operation[]): Uint8Array {
    let sum = this.document.sum;
    const parts = ops.map((op) => {
      const ref = this.#leftOfPurged.get(`${op.ref.sid} ${op.ref.seq}`);
      const moved = op.kind === OpKind.insert && ref !== undefined ? ref : op.ref;
      const part = encodeOperation({ ...op, ref: moved, sum: sum + 1 });
      sum += op.len;
      return part;
    });
    const all = new ByteWriter();
    for (const part of parts) all.bytes(part);
    return all.finish();
  }

  #judge(sid: number, base: number, ops: readonly Operation[]): void {
    assert.ok(base <= this.lastIndex, "base lies in the future");
    let sum = 0;
    for (const frame of this.frames) {
      if (frame.sid === sid || lastIndexOf(frame) <= base) sum += elements(frame);
    }
    for (const op of ops) {
      assert.equal(op.sid, sid, "an operation of a foreign site");
      assert.equal(op.sum, sum + 1, "not the sum that base implies");
      sum += op.len;
    }
  }
}

export class FakeSession implements Socket {
  readonly backlog = 0;
  readonly #server: FakeServer;
  readonly #events: SocketEvents;
  readonly #id: number;
  #alive = true;
  #helloSeen = false;
  #toServerAt = 0;
  #toClientAt = 0;
  sid = 0;
  client = "";
  welcomed = false;
  rebased = false;
  presences = 0;
  heartbeatReplies: { applied: number; hash: bigint | null }[] = [];

  constructor(server: FakeServer, events: SocketEvents, id: number) {
    this.#server = server;
    this.#events = events;
    this.#id = id;
  }

  // The client's end.
  send = (bytes: Uint8Array | ByteWriter): void => {
    if (bytes instanceof ByteWriter) return this.#toClient(bytes.finish());
    const copy = bytes.slice();
    const at = Math.max(this.#toServerAt, this.#server.time.now() + this.#server.delay());
    this.#toServerAt = at;
    this.#server.time.after(at - this.#server.time.now(), () => {
      if (this.#alive && this.#server.up) this.#receive(copy);
    });
  };
  close(code: number, _reason: string): void {
    if (code === 1000) this.#forget();
    else this.drop(code, "");
  }

  // The server's end.
  deliver(f: () => void): void {
    if (this.#alive) f();
  }
  drop(code: number, reason: string): void {
    if (!this.#alive) return;
    this.#forget();
    this.#events.closed(code, reason);
  }
  ack(seq: number): void {
    this.send(new ByteWriter().u8(Kind.ack).varint(seq).varint(this.#server.lastIndex).u8(this.rebased ? 1 : 0));
  }
  heartbeat(): void {
    const { document, lastIndex, lieAboutHash } = this.#server;
    const hash = document.stateHash() ^ (lieAboutHash ? 1n : 0n);
    this.send(new ByteWriter().u8(Kind.heartbeat).varint(lastIndex).u8(1).u64(hash));
  }

  #forget(): void {
    this.#alive = false;
    this.#server.sessions.delete(this);
  }
  #toClient(bytes: Uint8Array): void {
    const { time } = this.#server;
    this.#toClientAt = Math.max(this.#toClientAt, time.now() + this.#server.delay());
    time.after(this.#toClientAt - time.now(), () => {
      if (this.#alive && !this.#server.muted) this.#events.received(bytes);
    });
  }
  #receive(bytes: Uint8Array): void {
    const read = new ByteReader(bytes);
    const kind = read.u8();
    assert.equal(kind === Kind.hello, !this.#helloSeen, "hello comes first, and only then");
    this.#helloSeen = true;
    if (kind === Kind.hello) return this.#onHello(read);
    if (kind === Kind.presence) return void ++this.presences;
    if (kind === Kind.heartbeatReply) {
      const applied = read.varint();
      this.heartbeatReplies.push({ applied, hash: read.u8() === 1 ? read.u64() : null });
      return;
    }
    if (kind === Kind.renew) return this.#onRenew(read.text());
    assert.equal(kind, Kind.push);
    const base = read.varint();
    const operations = read.rest().slice();
    assert.ok(bytes.length <= 1 << 20, "a message over the limit");
    assert.ok([...readOperations(operations)].length <= 16_384, "too many operations in a push");
    this.#toServerAt = Math.max(this.#toServerAt, this.#server.time.now());
    this.#server.time.after(0, () => {
      if (this.#alive && this.#server.up) this.#server.commit(this, base, operations);
    });
  }

  #onHello(read: ByteReader): void {
    const server = this.#server;
    assert.deepEqual([read.varint(), read.varint()], [1, 1]);
    server.tokens.push(read.text());
    this.client = read.uuid();
    const held =
      read.u8() === 0
        ? null
        : { incarnation: read.uuid(), ssn: read.varint(), applied: read.varint(), acked: read.varint() };
    if (server.refuseWith !== null) {
      const { code, name } = server.refuseWith;
      this.send(new ByteWriter().u8(Kind.refused).varint(code).text(name).text(`refused: ${name}`));
      server.time.after(60, () => this.drop(code, name));
      return;
    }
    for (const other of [...server.sessions]) {
      if (other !== this && other.client === this.client) other.drop(4411, "replaced");
    }
    if (held !== null && held.incarnation !== server.incarnation) return this.drop(4409, "conflict");
    this.sid = server.sites.get(this.client) ?? server.sites.size + 2;
    server.sites.set(this.client, this.sid);
    const snapshot =
      held !== null && server.rng.chance(0.7)
        ? null
        : server.snapshot !== null && server.rng.chance(0.7)
          ? server.snapshot
          : held === null && server.rng.chance(0.3)
            ? null
            : { atIndex: server.lastIndex, bytes: server.document.save() };
    const from = snapshot?.atIndex ?? held?.applied ?? 0;
    this.send(
      new ByteWriter()
        .u8(Kind.welcome)
        .varint(1)
        .varint(this.#id)
        .varint(this.sid)
        .varint(server.seqOf(this.sid))
        .uuid(server.incarnation)
        .varint(1)
        .varint(server.lastIndex)
        .u8(snapshot === null ? 0 : 1)
        .varint(snapshot?.bytes.length ?? 0)
        .varint(5000)
        .varint(1 << 20)
        .text("fake")
        .varint(server.horizon)
        .text("a field of the future"),
    );
    this.tellAccess();
    for (let at = 0; snapshot !== null && at < snapshot.bytes.length; at += 300) {
      const part = snapshot.bytes.subarray(at, at + 300);
      this.send(new ByteWriter().u8(Kind.snapshot).varint(snapshot.atIndex).varint(at).bytes(part));
    }
    for (const frame of server.frames) {
      if (lastIndexOf(frame) > from) this.send(rows(frame));
    }
    this.send(new ByteWriter().u8(0xf0).text("a kind of the future"));
    this.welcomed = true;
    this.#beat();
  }

  tellAccess(): void {
    const { access } = this.#server;
    if (access === null) return;
    const { role, expiresInS } = access;
    this.send(new ByteWriter().u8(Kind.access).u8(role).varint(expiresInS).text("Ann"));
  }

  #onRenew(token: string): void {
    this.#server.renewed.push(token);
    this.tellAccess();
  }

  #beat(): void {
    this.#server.time.after(5_000, () => {
      if (!this.#alive) return;
      this.heartbeat();
      this.#beat();
    });
  }
}

/** One operation that stands alone, in the longest form. */
function encodeOperation({ kind, len, ssn, sum, sid, seq, ref, text }: Operation): Uint8Array {
  const form = kind === OpKind.purge || (ref.sid === 0 && ref.seq === 0) ? 3 : 2;
  const out = new ByteWriter().u8((kind === OpKind.purge ? OpKind.erase : kind) | 4 | (form << 3));
  out.varint(ssn).varint(sid).varint(seq).varint(sum).varint(len);
  if (form === 2 || kind === OpKind.purge) out.varint(ref.sid).varint(ref.seq);
  return out.bytes(new TextEncoder().encode(text)).finish();
}

function rows(frame: Frame): ByteWriter {
  return new ByteWriter()
    .u8(Kind.operations)
    .varint(frame.firstIndex)
    .varint(frame.count)
    .bytes(frame.bytes);
}
