// Reading and writing the primitives of docs/PROTOCOL.md "Notation", for tests only: written from
// the page and not from the product's code, so that it can judge it.

export class Writer {
  #parts = [];

  u8(value) {
    this.#parts.push(value & 0xff);
    return this;
  }
  varint(value) {
    let rest = BigInt(value);
    while (rest >= 0x80n) {
      this.#parts.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#parts.push(Number(rest));
    return this;
  }
  u64(value) {
    for (let i = 0n; i < 8n; ++i) this.#parts.push(Number((BigInt(value) >> (8n * i)) & 0xffn));
    return this;
  }
  raw(bytes) {
    for (const byte of bytes) this.#parts.push(byte);
    return this;
  }
  bytes(bytes) {
    return this.varint(bytes.length).raw(bytes);
  }
  text(text) {
    return this.bytes(Buffer.from(text, "utf8"));
  }
  uuid(text) {
    return this.raw(Buffer.from(text.replaceAll("-", ""), "hex"));
  }
  finish() {
    return Buffer.from(this.#parts);
  }
}

export class Reader {
  #at = 0;
  #bytes;

  constructor(bytes) {
    this.#bytes = bytes;
  }
  get atEnd() {
    return this.#at >= this.#bytes.length;
  }
  u8() {
    if (this.atEnd) throw new RangeError("the message ends early");
    return this.#bytes[this.#at++];
  }
  varint() {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
    throw new RangeError("a varint is longer than 10 bytes");
  }
  u64() {
    let value = 0n;
    for (let i = 0n; i < 8n; ++i) value |= BigInt(this.u8()) << (8n * i);
    return value;
  }
  raw(length) {
    if (this.#at + length > this.#bytes.length) throw new RangeError("the message ends early");
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }
  bytes() {
    return this.raw(this.varint());
  }
  text() {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.bytes());
  }
  uuid() {
    const hex = Buffer.from(this.raw(16)).toString("hex");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }
  /** The UTF-8 bytes of exactly `count` scalar values. */
  scalars(count) {
    const from = this.#at;
    for (; count > 0; --count) {
      const lead = this.u8();
      this.raw(lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3);
    }
    return Buffer.from(this.#bytes.subarray(from, this.#at)).toString("utf8");
  }
  rest() {
    const bytes = this.#bytes.subarray(this.#at);
    this.#at = this.#bytes.length;
    return bytes;
  }
}
