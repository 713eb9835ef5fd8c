// Presence: who else is here, and telling the others where we are. Latest wins; nothing is kept.
import type { Peer, Peers, Presence } from "./protocol.js";
import type { Timers } from "./ports.js";

/** The other sessions of the document, by session number. */
export class PeerList {
  readonly #peers = new Map<number, Peer>();

  get all(): Peer[] {
    return [...this.#peers.values()].sort((a, b) => a.session - b.session);
  }
  apply(message: Peers): void {
    for (const { session, peer } of message.peers) {
      if (peer === null) this.#peers.delete(session);
      else this.#peers.set(session, peer);
    }
  }
  clear(): void {
    this.#peers.clear();
  }
}

/** Sends the latest state at most every `intervalMs`, and only when it has changed. */
export class PresenceSender {
  readonly #timers: Timers;
  readonly #send: (presence: Presence) => boolean;
  readonly #intervalMs: number;
  #latest: Presence | null = null;
  #sentAs = "";
  #sentAt = -Infinity;
  #cancel: (() => void) | null = null;

  /** `send` answers false when there is no connection. */
  constructor(timers: Timers, send: (presence: Presence) => boolean, intervalMs = 50) {
    this.#timers = timers;
    this.#send = send;
    this.#intervalMs = intervalMs;
  }

  set(presence: Presence): void {
    this.#latest = presence;
    this.#schedule();
  }
  /** A new session: the server knows nothing yet. */
  renew(): void {
    this.#sentAs = "";
    this.#schedule();
  }
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#latest = null;
  }

  #schedule(): void {
    if (this.#cancel !== null || this.#latest === null) return;
    const wait = Math.max(0, this.#sentAt + this.#intervalMs - this.#timers.now());
    this.#cancel = this.#timers.after(wait, () => {
      this.#cancel = null;
      this.#flush();
    });
  }
  #flush(): void {
    if (this.#latest === null) return;
    const as = JSON.stringify(this.#latest);
    if (as === this.#sentAs || !this.#send(this.#latest)) return;
    this.#sentAs = as;
    this.#sentAt = this.#timers.now();
  }
}
