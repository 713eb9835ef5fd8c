// The messages of docs/PROTOCOL.md, for tests: client messages to bytes, server messages to
// objects.
import { Reader, Writer } from "./bytes.mjs";
import { encodeOperations } from "./operations.mjs";

export const subprotocol = "weft.v1";

export const Close = {
  normal: 1000,
  tooBig: 1009,
  restart: 1012,
  badMessage: 4400,
  notFound: 4404,
  conflict: 4409,
  protocolVersion: 4410,
  replaced: 4411,
  reload: 4500,
  overloaded: 4503,
  slow: 4508,
  silent: 4509,
};

/** `state`: { incarnation, ssn, applied, ackedSeq } of a client that returns. */
export function encodeHello({ client, token = "", versions = [1, 1], state = null }) {
  const out = new Writer()
    .u8(0x01)
    .varint(versions[0])
    .varint(versions[1])
    .text(token)
    .uuid(client);
  out.u8(state === null ? 0 : 1);
  if (state !== null) {
    out.uuid(state.incarnation).varint(state.ssn).varint(state.applied).varint(state.ackedSeq);
  }
  return out.finish();
}

/** A fresh token, before the old one ends. */
export function encodeRenew(token) {
  return new Writer().u8(0x05).text(token).finish();
}

/** `operations`: objects of operations.mjs, or bytes. */
export function encodePush(base, operations) {
  const bytes = Array.isArray(operations) ? encodeOperations(operations) : operations;
  return new Writer().u8(0x02).varint(base).raw(bytes).finish();
}

/** `selections`: [{anchor: {sid, seq, side}, head: {sid, seq, side}}]. */
export function encodePresence({ name, colour = 0, selections = [] }) {
  const out = new Writer().u8(0x03).text(name).varint(colour).varint(selections.length);
  for (const { anchor, head } of selections) {
    for (const end of [anchor, head]) out.varint(end.sid).varint(end.seq).u8(end.side);
  }
  return out.finish();
}

/** `stateHash`: a BigInt, or null. */
export function encodeHeartbeatReply(applied, stateHash = null) {
  const out = new Writer()
    .u8(0x04)
    .varint(applied)
    .u8(stateHash === null ? 0 : 1);
  if (stateHash !== null) out.u64(stateHash);
  return out.finish();
}

/** Null for a kind that this page does not know. */
export function decodeServerMessage(bytes) {
  const r = new Reader(bytes);
  switch (r.u8()) {
    case 0x81: {
      const m = {
        kind: "welcome",
        version: r.varint(),
        session: r.varint(),
        sid: r.varint(),
        ackedSeq: r.varint(),
        incarnation: r.uuid(),
        ssn: r.varint(),
        lastIndex: r.varint(),
      };
      m.snapshotFollows = (r.u8() & 1) === 1;
      m.snapshotBytes = r.varint();
      m.heartbeatMs = r.varint();
      m.maxMessageBytes = r.varint();
      m.server = r.text();
      m.horizon = r.varint();
      return m;
    }
    case 0x82:
      return { kind: "snapshot", atIndex: r.varint(), offset: r.varint(), bytes: r.rest() };
    case 0x83:
      return { kind: "operations", firstIndex: r.varint(), count: r.varint(), bytes: r.rest() };
    case 0x84:
      return { kind: "ack", seq: r.varint(), index: r.varint(), rebased: (r.u8() & 1) === 1 };
    case 0x85: {
      const peers = [];
      for (let count = r.varint(); count > 0; --count) peers.push(readPeer(r));
      return { kind: "peers", peers };
    }
    case 0x86: {
      const m = { kind: "heartbeat", index: r.varint() };
      m.stateHash = r.u8() & 1 ? r.u64() : null;
      return m;
    }
    case 0x88:
      return { kind: "access", role: r.u8(), expiresIn: r.varint(), name: r.text() };
    case 0x87:
      return { kind: "refused", closeCode: r.varint(), code: r.text(), message: r.text() };
    default:
      return null;
  }
}

function readPeer(r) {
  const peer = { session: r.varint(), present: (r.u8() & 1) === 1 };
  if (!peer.present) return peer;
  peer.sid = r.varint();
  peer.name = r.text();
  peer.colour = r.varint();
  peer.selections = [];
  const end = () => ({ sid: r.varint(), seq: r.varint(), side: r.u8() });
  for (let count = r.varint(); count > 0; --count) {
    peer.selections.push({ anchor: end(), head: end() });
  }
  return peer;
}
