// Those who mean harm, or are broken: raw connections to one server, and how each of them ended.
import { connect } from "node:net";
import { encodeHello, subprotocol } from "../../support-js/protocol.mjs";
import { TestSocket } from "../../support-js/socket.mjs";

export const upgrade = (id) =>
  `GET /api/v1/documents/${id}/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ${subprotocol}\r\n\r\n`;

/** A connection that sends `bytes` and then nothing; `ended` gives {status, code} of what the server said. */
export class Raw {
  received = Buffer.alloc(0);
  constructor(port, bytes) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("error", () => {});
    this.socket.on("data", (part) => (this.received = Buffer.concat([this.received, part])));
    this.connected = new Promise((resolve) => this.socket.on("connect", resolve));
    if (bytes !== "") this.socket.write(bytes);
    this.ended = new Promise((resolve) => this.socket.on("close", () => resolve(this.#said())));
  }

  /** The upgrade was answered. */
  async upgraded() {
    for (const end = Date.now() + 5_000; !this.received.includes("\r\n\r\n") && Date.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this;
  }

  /** The HTTP status, and the code of a close frame after it; undefined where there was none. */
  #said() {
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(this.received.toString("latin1"))?.[1]) || undefined;
    let at = this.received.indexOf("\r\n\r\n") + 4;
    while (status === 101 && at + 4 <= this.received.length) {
      const short = this.received[at + 1] & 0x7f;
      const length = short === 126 ? this.received.readUInt16BE(at + 2) : short;
      const payload = at + (short === 126 ? 4 : 2);
      if ((this.received[at] & 0x0f) === 8) return { status, code: this.received.readUInt16BE(payload) };
      at = payload + length;
    }
    return { status, code: undefined };
  }
}

/** A client frame of binary data with a mask of zeros. */
export function frame(payload, { fin = true, masked = true, opcode = 2 } = {}) {
  const head = payload.length < 126
    ? [payload.length | (masked ? 0x80 : 0)]
    : [126 | (masked ? 0x80 : 0), payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode, ...head, ...(masked ? [0, 0, 0, 0] : [])]), payload]);
}

/** A session with a token, welcomed. */
export async function session(server, id, token) {
  const socket = new TestSocket(server, id);
  return { socket, welcome: await socket.join({ token }) };
}

/** Half of a hello as the first half of a frame. */
export function halfHello(client, token) {
  const whole = frame(Buffer.from(encodeHello({ client, token })));
  return whole.subarray(0, whole.length >> 1);
}
