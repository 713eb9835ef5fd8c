// The real ports: WebSocket, timers and randomness of a browser (or of node, where it has them).
import type { Ports, Socket, SocketEvents } from "./ports.js";
import { subprotocol } from "./protocol.js";

function openSocket(url: string, events: SocketEvents): Socket {
  const socket = new WebSocket(url, subprotocol);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => events.opened();
  socket.onmessage = (event: MessageEvent<unknown>) => {
    if (event.data instanceof ArrayBuffer) events.received(new Uint8Array(event.data));
  };
  socket.onclose = (event) => events.closed(event.code, event.reason);
  return {
    send: (bytes) => socket.send(bytes as Uint8Array<ArrayBuffer>),
    // Browsers allow only 1000 and 3000–4999 here.
    close: (code, reason) => socket.close(code, reason),
    get backlog() {
      return socket.bufferedAmount;
    },
  };
}

export function browserPorts(): Ports {
  return {
    timers: {
      now: () => performance.now(),
      after: (delayMs, f) => {
        const timer = setTimeout(f, delayMs);
        return () => clearTimeout(timer);
      },
      soon: (f) => queueMicrotask(f),
    },
    openSocket,
    random: () => Math.random(),
    newClientId: () => uuid4(crypto.getRandomValues(new Uint8Array(16))),
  };
}

// crypto.randomUUID exists only in secure contexts; a page on a plain http address is none.
function uuid4(bytes: Uint8Array): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const digits = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
