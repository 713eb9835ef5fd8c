// What the connection needs from its surroundings. browser.ts has the real ones, tests have others.

export interface Timers {
  /** Milliseconds; for intervals only. */
  now(): number;
  /** Answers with a function that cancels. */
  after(delayMs: number, f: () => void): () => void;
  /** Once, after what runs now. */
  soon(f: () => void): void;
}

export interface SocketEvents {
  opened(): void;
  /** One binary message. */
  received(bytes: Uint8Array): void;
  /** Exactly once, also when it never opened. */
  closed(code: number, reason: string): void;
}

export interface Socket {
  send(bytes: Uint8Array): void;
  close(code: number, reason: string): void;
  /** Bytes given to send and not yet to the network. */
  readonly backlog: number;
}

export interface Ports {
  readonly timers: Timers;
  openSocket(url: string, events: SocketEvents): Socket;
  /** In [0, 1). */
  random(): number;
  /** A fresh random UUID. */
  newClientId(): string;
}
