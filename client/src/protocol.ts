// The messages of docs/PROTOCOL.md, version 1, as values and as bytes. Pure.
import type { Anchor } from "./core.js";
import { ByteReader, ByteWriter } from "./bytes.js";

export const protocolVersion = 1;
export const subprotocol = "weft.v1";

export enum Kind {
  hello = 0x01,
  push = 0x02,
  presence = 0x03,
  heartbeatReply = 0x04,
  renew = 0x05,
  welcome = 0x81,
  snapshot = 0x82,
  operations = 0x83,
  ack = 0x84,
  peers = 0x85,
  heartbeat = 0x86,
  refused = 0x87,
  access = 0x88,
}

/** Close codes that a client does something particular about. */
export enum CloseCode {
  normal = 1000,
  goingAway = 1001,
  messageTooBig = 1009,
  badMessage = 4400,
  unauthorized = 4401,
  forbidden = 4403,
  notFound = 4404,
  conflict = 4409,
  protocolVersion = 4410,
  replaced = 4411,
  /** Ours: the server said nothing for three heartbeats. */
  silent = 4509,
  /** Ours, never sent: a bug was found on this side. */
  clientFailed = 4599,
}

// The server's limits for a presence state (src/wire/limits.h).
const maxNameBytes = 64;
const maxSelections = 16;

export interface HeldState {
  readonly incarnation: string;
  readonly ssn: number;
  readonly applied: number;
  readonly ackedSeq: number;
}

export interface Selection {
  readonly anchor: Anchor;
  readonly head: Anchor;
}

export interface Presence {
  readonly name: string;
  /** 0xRRGGBB */
  readonly colour: number;
  readonly selections: readonly Selection[];
}

export interface Welcome {
  readonly kind: Kind.welcome;
  readonly version: number;
  readonly session: number;
  readonly sid: number;
  readonly ackedSeq: number;
  readonly incarnation: string;
  readonly ssn: number;
  readonly lastIndex: number;
  readonly snapshotFollows: boolean;
  readonly snapshotBytes: number;
  readonly heartbeatMs: number;
  readonly maxMessageBytes: number;
  readonly server: string;
  /** Operations on an older base are late. */
  readonly horizon: number;
}
export interface SnapshotPart {
  readonly kind: Kind.snapshot;
  readonly atIndex: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}
export interface Operations {
  readonly kind: Kind.operations;
  readonly firstIndex: number;
  readonly count: number;
  readonly operations: Uint8Array;
}
export interface Ack {
  readonly kind: Kind.ack;
  readonly seq: number;
  readonly index: number;
  /** Some came late, and stand in the log otherwise than they were pushed. */
  readonly rebased: boolean;
}
export interface Peer {
  readonly session: number;
  readonly sid: number;
  readonly state: Presence;
}
export interface Peers {
  readonly kind: Kind.peers;
  /** A null state: the session left. */
  readonly peers: readonly { readonly session: number; readonly peer: Peer | null }[];
}
export interface Heartbeat {
  readonly kind: Kind.heartbeat;
  readonly index: number;
  readonly stateHash: bigint | null;
}
export interface Refused {
  readonly kind: Kind.refused;
  readonly closeCode: number;
  readonly code: string;
  readonly message: string;
}
export interface AccessGiven {
  readonly kind: Kind.access;
  /** 1 viewer, 2 commenter, 3 editor, 4 owner. */
  readonly role: number;
  readonly expiresInS: number;
  readonly name: string;
}
export type ServerMessage =
  | Welcome
  | SnapshotPart
  | Operations
  | Ack
  | Peers
  | Heartbeat
  | Refused
  | AccessGiven;

export function encodeHello(token: string, client: string, held: HeldState | null): Uint8Array {
  const out = new ByteWriter()
    .u8(Kind.hello)
    .varint(protocolVersion)
    .varint(protocolVersion)
    .text(token)
    .uuid(client)
    .u8(held === null ? 0 : 1);
  if (held !== null) {
    out.uuid(held.incarnation).varint(held.ssn).varint(held.applied).varint(held.ackedSeq);
  }
  return out.finish();
}

export function encodePush(base: number, operations: Uint8Array): Uint8Array {
  return new ByteWriter().u8(Kind.push).varint(base).bytes(operations).finish();
}

export function encodePresence(presence: Presence): Uint8Array {
  const selections = presence.selections.slice(0, maxSelections);
  const out = new ByteWriter()
    .u8(Kind.presence)
    .text(cutName(presence.name))
    .varint(presence.colour & 0xffffff)
    .varint(selections.length);
  for (const { anchor, head } of selections) {
    out.varint(anchor.sid).varint(anchor.seq).u8(anchor.side);
    out.varint(head.sid).varint(head.seq).u8(head.side);
  }
  return out.finish();
}

export function encodeHeartbeatReply(applied: number, stateHash: bigint | null): Uint8Array {
  const out = new ByteWriter().u8(Kind.heartbeatReply).varint(applied);
  if (stateHash === null) return out.u8(0).finish();
  return out.u8(1).u64(stateHash).finish();
}

export function encodeRenew(token: string): Uint8Array {
  return new ByteWriter().u8(Kind.renew).text(token).finish();
}

/** Null for a kind that this version does not know. Throws MalformedMessage. */
export function decodeServerMessage(bytes: Uint8Array): ServerMessage | null {
  const read = new ByteReader(bytes);
  const kind = read.u8();
  switch (kind) {
    case Kind.welcome:
      return {
        kind,
        version: read.varint(),
        session: read.varint(),
        sid: read.varint(),
        ackedSeq: read.varint(),
        incarnation: read.uuid(),
        ssn: read.varint(),
        lastIndex: read.varint(),
        snapshotFollows: (read.u8() & 1) !== 0,
        snapshotBytes: read.varint(),
        heartbeatMs: read.varint(),
        maxMessageBytes: read.varint(),
        server: read.text(),
        horizon: read.atEnd ? 0 : read.varint(),
      };
    case Kind.snapshot:
      return { kind, atIndex: read.varint(), offset: read.varint(), bytes: read.rest() };
    case Kind.operations:
      return { kind, firstIndex: read.varint(), count: read.varint(), operations: read.rest() };
    case Kind.ack:
      return {
        kind,
        seq: read.varint(),
        index: read.varint(),
        rebased: !read.atEnd && (read.u8() & 1) !== 0,
      };
    case Kind.peers: {
      const peers: { session: number; peer: Peer | null }[] = [];
      for (let count = read.varint(); count > 0; --count) {
        const session = read.varint();
        const present = (read.u8() & 1) !== 0;
        peers.push({
          session,
          peer: present ? { session, sid: read.varint(), state: readPresence(read) } : null,
        });
      }
      return { kind, peers };
    }
    case Kind.heartbeat: {
      const index = read.varint();
      const hashFollows = (read.u8() & 1) !== 0;
      return { kind, index, stateHash: hashFollows ? read.u64() : null };
    }
    case Kind.refused:
      return { kind, closeCode: read.varint(), code: read.text(), message: read.text() };
    case Kind.access:
      return { kind, role: read.u8(), expiresInS: read.varint(), name: read.text() };
    default:
      return null;
  }
}

function readPresence(read: ByteReader): Presence {
  const name = read.text();
  const colour = read.varint();
  const selections: Selection[] = [];
  for (let count = read.varint(); count > 0; --count) {
    selections.push({ anchor: readAnchor(read), head: readAnchor(read) });
  }
  return { name, colour, selections };
}

function readAnchor(read: ByteReader): Anchor {
  return { sid: read.varint(), seq: read.varint(), side: read.u8() === 0 ? 0 : 1 };
}

/** The longest prefix of whole characters that the server accepts. */
function cutName(name: string): string {
  const encoder = new TextEncoder();
  let cut = "";
  let size = 0;
  for (const character of name) {
    size += encoder.encode(character).length;
    if (size > maxNameBytes) break;
    cut += character;
  }
  return cut;
}
