// What survives a reload of the page: the client's secret id and its unacknowledged pushes.
//
// sessionStorage belongs to one tab, but a duplicated tab starts with a copy of it, and two tabs must
// never write as the same site. So a page claims the record when it starts (reads and removes it) and
// puts it back when it goes (pagehide): while a page lives there is nothing to copy.
import { fromBase64, toBase64 } from "./bytes.js";
import type { Push } from "./replica.js";

export interface StoredSession {
  readonly client: string;
  /** Null until the first welcome. */
  readonly lineage: { readonly incarnation: string; readonly ssn: number; readonly sid: number } | null;
  readonly ackedSeq: number;
  readonly pending: readonly Push[];
}

/** Text of the user's that no document would take any more; kept until the user lets go of it. */
export interface Rescue {
  readonly id: string;
  /** Why, as the server said it. */
  readonly code: string;
  readonly message: string;
  /** Characters inserted or deleted that were not acknowledged. */
  readonly edits: number;
  /** The whole text as the user saw it; null when only the edits were there. */
  readonly text: string | null;
  /** What the unacknowledged edits had inserted. */
  readonly inserted: readonly string[];
}

export type KeyValueStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const format = 1;

export class SessionStore {
  readonly #storage: KeyValueStorage;
  readonly #sessionKey: string;
  readonly #rescueKey: string;

  constructor(storage: KeyValueStorage, documentId: string) {
    this.#storage = storage;
    this.#sessionKey = `weft:session:${documentId}`;
    this.#rescueKey = `weft:rescue:${documentId}`;
  }

  /** Takes the record out, so that no copy of this tab can find it. */
  claim(): StoredSession | null {
    const text = this.#read(this.#sessionKey);
    if (text === null) return null;
    this.#storage.removeItem(this.#sessionKey);
    try {
      const record = JSON.parse(text);
      if (record.format !== format) return null;
      return {
        client: record.client,
        lineage: record.lineage,
        ackedSeq: record.ackedSeq,
        pending: record.pending.map((push: Record<string, number | string>) => ({
          base: push.base,
          firstSeq: push.firstSeq,
          lastSeq: push.lastSeq,
          bytes: fromBase64(push.bytes as string),
        })),
      };
    } catch {
      return null;  // not ours, or damaged: start as a new client
    }
  }

  /** Characters that wait in the record of a page that is gone; 0 without one. Claims nothing. */
  waiting(): number {
    try {
      const record = JSON.parse(this.#read(this.#sessionKey) ?? "null");
      return record === null || record.pending.length === 0
        ? 0
        : record.pending.at(-1).lastSeq - record.ackedSeq;
    } catch {
      return 0;
    }
  }

  /** False when there is no room: the caller then has to keep the page open. */
  save(session: StoredSession): boolean {
    const pending = session.pending.map((push) => ({ ...push, bytes: toBase64(push.bytes) }));
    return this.#write(this.#sessionKey, JSON.stringify({ format, ...session, pending }));
  }

  /** Those that the user has not let go of yet, oldest first. */
  rescues(): Rescue[] {
    const text = this.#read(this.#rescueKey);
    if (text === null) return [];
    try {
      return JSON.parse(text) as Rescue[];
    } catch {
      return [];
    }
  }
  addRescue(rescue: Rescue): boolean {
    return this.#write(this.#rescueKey, JSON.stringify([...this.rescues(), rescue]));
  }
  dropRescue(id: string): void {
    const left = this.rescues().filter((rescue) => rescue.id !== id);
    this.#write(this.#rescueKey, JSON.stringify(left));
  }

  #read(key: string): string | null {
    try {
      return this.#storage.getItem(key);
    } catch {
      return null;  // storage is switched off
    }
  }
  #write(key: string, value: string): boolean {
    try {
      this.#storage.setItem(key, value);
      return true;
    } catch {
      return false;
    }
  }
}
