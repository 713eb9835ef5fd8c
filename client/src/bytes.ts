// Bounded reading and writing of the protocol's integers, and UUIDs and base64.

export class MalformedMessage extends Error {
  override name = "MalformedMessage";
}

export class ByteWriter {
  #bytes = new Uint8Array(256);
  #size = 0;

  u8(value: number): this {
    this.#room(1);
    this.#bytes[this.#size++] = value;
    return this;
  }
  /** Unsigned, up to 2^53 − 1. */
  varint(value: number): this {
    this.#room(8);
    while (value >= 0x80) {
      this.#bytes[this.#size++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    this.#bytes[this.#size++] = value;
    return this;
  }
  u64(value: bigint): this {
    this.#room(8);
    new DataView(this.#bytes.buffer).setBigUint64(this.#size, value, true);
    this.#size += 8;
    return this;
  }
  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
    return this;
  }
  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    return this.varint(bytes.length).bytes(bytes);
  }
  uuid(value: string): this {
    return this.bytes(uuidBytes(value));
  }
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  #room(more: number): void {
    if (this.#size + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#size + more));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}

/** Throws MalformedMessage at the first thing that is not there. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
  u8(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new MalformedMessage("the message ends too early");
    return value;
  }
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; ++i) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new MalformedMessage("an integer is out of range");
  }
  u64(): bigint {
    const part = this.bytes(8);
    return new DataView(part.buffer, part.byteOffset, 8).getBigUint64(0, true);
  }
  /** A view, not a copy. */
  bytes(size: number): Uint8Array {
    if (size > this.#bytes.length - this.#at) {
      throw new MalformedMessage("the message ends too early");
    }
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }
  text(): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.bytes(this.varint()));
  }
  uuid(): string {
    return uuidText(this.bytes(16));
  }
}

export function uuidBytes(uuid: string): Uint8Array {
  const digits = uuid.replaceAll("-", "");
  if (!/^[0-9a-fA-F]{32}$/.test(digits)) throw new TypeError(`not a UUID: ${uuid}`);
  return Uint8Array.from({ length: 16 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export function uuidText(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join("-");
}

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(binary);
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
