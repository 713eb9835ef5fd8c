// The operation stream of docs/PROTOCOL.md, for tests. An operation is
//   { kind, len, ssn, sum, sid, seq, ref: {sid, seq}, text? }   kind: "insert" | "erase" | ...
import { Reader, Writer } from "./bytes.mjs";

const kinds = ["insert", "erase", "erase_back", "update", "purge"];
const purge = 4;
const hasText = (kind) => kind === 0 || kind === 3;

/** Every operation with its whole id unless it follows the one before. */
export function encodeOperations(operations) {
  const out = new Writer();
  let last = null;
  for (const op of operations) {
    const kind = kinds.indexOf(op.kind);
    const follows =
      last !== null &&
      op.ssn === last.ssn &&
      op.sid === last.sid &&
      op.seq === last.seq + last.len &&
      op.sum === last.sum + last.len;
    const isHead = op.ref.sid === 0 && op.ref.seq === 0;
    const back = op.ref.sid === op.sid ? op.seq - op.ref.seq : 0;
    const form = isHead || kind === purge ? 3 : back === 1 ? 0 : back > 1 ? 1 : 2;
    out.u8((kind === purge ? 1 : kind) | (follows ? 0 : 4) | (form << 3) | ((op.len <= 7 ? op.len : 0) << 5));
    if (!follows) out.varint(op.ssn).varint(op.sid).varint(op.seq).varint(op.sum);
    if (op.len > 7) out.varint(op.len);
    if (form === 1) out.varint(back);
    if (form === 2 || kind === purge) out.varint(op.ref.sid).varint(op.ref.seq);
    if (hasText(kind)) out.raw(Buffer.from(op.text, "utf8"));
    last = op;
  }
  return out.finish();
}

export function decodeOperations(bytes) {
  const reader = new Reader(bytes);
  const operations = [];
  let last = null;
  while (!reader.atEnd) {
    const tag = reader.u8();
    const form = (tag >> 3) & 3;
    const kind = (tag & 3) === 1 && form === 3 ? purge : tag & 3;
    const op = { kind: kinds[kind] };
    if (tag & 4) {
      op.ssn = reader.varint();
      op.sid = reader.varint();
      op.seq = reader.varint();
      op.sum = reader.varint();
    } else {
      if (last === null) throw new RangeError("the first operation has no id");
      op.ssn = last.ssn;
      op.sid = last.sid;
      op.seq = last.seq + last.len;
      op.sum = last.sum + last.len;
    }
    op.len = tag >> 5 || reader.varint();
    if (form === 0) op.ref = { sid: op.sid, seq: op.seq - 1 };
    if (form === 1) op.ref = { sid: op.sid, seq: op.seq - reader.varint() };
    if (form === 2 || kind === purge) op.ref = { sid: reader.varint(), seq: reader.varint() };
    if (form === 3 && kind !== purge) op.ref = { sid: 0, seq: 0 };
    if (hasText(kind)) op.text = reader.scalars(op.len);
    operations.push(op);
    last = op;
  }
  return operations;
}
