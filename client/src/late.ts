// Own operations that come late: made on a base that is older than the horizon of the server's last purge.
// They may refer to what is gone, so the server makes them anew on what there is now, and says so in its
// ack (docs/PROTOCOL.md, "Late operations"). Until all are acknowledged nothing is taken over from the
// server; then the old state is dropped for a fresh one, which has them. Pure.
import type { Push } from "./replica.js";
import type { StoredSession } from "./store.js";

/** Hands out pushes one at a time, the next when the one before is acknowledged. */
export class LatePushes {
  #sentSeq: number;

  /** What is sent already, and will be acknowledged. */
  constructor(sentSeq = 0) {
    this.#sentSeq = sentSeq;
  }

  /** The one to send now. */
  next(pending: readonly Push[]): Push | null {
    const first = pending[0];
    if (first === undefined || first.lastSeq <= this.#sentSeq) return null;
    this.#sentSeq = first.lastSeq;
    return first;
  }
}

export function comeLate(pending: readonly Push[], horizon: number): boolean {
  return pending.some((push) => push.base < horizon);
}

/** What is left of a page that is gone when its operations up to `seq` are durable. */
export function acknowledged(session: StoredSession, seq: number): StoredSession {
  const ackedSeq = Math.max(session.ackedSeq, seq);
  return { ...session, ackedSeq, pending: session.pending.filter((push) => push.lastSeq > ackedSeq) };
}
