// Reads operation streams (docs/PROTOCOL.md, "Operation stream") without a document: what a client says
// about pushes that no document will take any more, and what tests look into.
import { ByteReader, MalformedMessage } from "./bytes.js";

export enum OpKind {
  insert = 0,
  erase = 1,
  eraseBack = 2,
  update = 3,
  purge = 4,
}

export interface Operation {
  readonly kind: OpKind;
  readonly len: number;
  readonly ssn: number;
  readonly sum: number;
  readonly sid: number;
  readonly seq: number;
  /** (0, 0) is the head. */
  readonly ref: { readonly sid: number; readonly seq: number };
  readonly text: string;
}

/** Throws MalformedMessage. */
export function* readOperations(stream: Uint8Array): Generator<Operation> {
  const read = new ByteReader(stream);
  let ssn = 0;
  let sid = 0;
  let seq = 0;
  let sum = 0;
  while (!read.atEnd) {
    const tag = read.u8();
    if ((tag & 4) !== 0) {
      ssn = read.varint();
      sid = read.varint();
      seq = read.varint();
      sum = read.varint();
    } else if (sid === 0) {
      throw new MalformedMessage("the first operation has no id");
    }
    const form = (tag >> 3) & 3;
    const said = (tag & 3) as OpKind;
    // An erase of the head is a purge, and says its first target.
    const kind = said === OpKind.erase && form === 3 ? OpKind.purge : said;
    const len = tag >> 5 || read.varint();
    const ref = readRef(read, kind === OpKind.purge ? 2 : form, sid, seq);
    const text = kind === OpKind.insert || kind === OpKind.update ? readScalars(read, len) : "";
    yield { kind, len, ssn, sum, sid, seq, ref, text };
    seq += len;
    sum += len;
  }
}

/** The texts that the inserts of some streams brought, typing joined; for showing to a person. */
export function insertedTexts(streams: Iterable<Uint8Array>): string[] {
  const texts: string[] = [];
  let end = "";
  for (const stream of streams) {
    for (const op of readOperations(stream)) {
      if (op.kind !== OpKind.insert) continue;
      const left = `${op.ref.sid}:${op.ref.seq}`;
      if (left === end && texts.length > 0) texts[texts.length - 1] += op.text;
      else texts.push(op.text);
      end = `${op.sid}:${op.seq + op.len - 1}`;
    }
  }
  return texts;
}

function readRef(read: ByteReader, form: number, sid: number, seq: number) {
  switch (form) {
    case 0:
      return { sid, seq: seq - 1 };
    case 1:
      return { sid, seq: seq - read.varint() };
    case 2:
      return { sid: read.varint(), seq: read.varint() };
    default:
      return { sid: 0, seq: 0 };
  }
}

function readScalars(read: ByteReader, count: number): string {
  const bytes: number[] = [];
  for (; count > 0; --count) {
    const first = read.u8();
    bytes.push(first);
    for (let more = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3; more > 0; --more) {
      bytes.push(read.u8());
    }
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}
