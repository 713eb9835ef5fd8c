// What is left of a session: for its successor, or, when no document will take its edits any more, for
// its user.
import { insertedTexts } from "./operations.js";
import type { Replica } from "./replica.js";
import type { Rescue, StoredSession } from "./store.js";

/** Null when nothing is lost. `edits`: how many were unsaved when that was last known. */
export function rescued(
  id: string,
  code: string,
  message: string,
  edits: number,
  replica: Replica | null,
  restored: StoredSession | null,
): Rescue | null {
  let text: string | null = null;
  try {
    replica?.seal();
    if (replica !== null) edits = replica.unsaved;
    text = replica?.document.text() ?? null;
  } catch {
    // The core itself failed; the sealed bytes are still ours.
  }
  if (edits === 0 && replica === null) edits = unsavedOf(restored);
  if (edits === 0) return null;
  const pending = replica?.pending ?? restored?.pending ?? [];
  return { id, code, message, edits, text, inserted: insertedTexts(pending.map((push) => push.bytes)) };
}

/** Characters of a page that is gone that were not acknowledged. */
export function unsavedOf(restored: StoredSession | null): number {
  const last = restored?.pending.at(-1);
  return last === undefined ? 0 : last.lastSeq - restored!.ackedSeq;
}

/** What a successor of this client needs to carry on. */
export function handedOver(
  client: string,
  replica: Replica | null,
  restored: StoredSession | null,
): StoredSession {
  if (replica === null) return restored ?? { client, lineage: null, ackedSeq: 0, pending: [] };
  replica.seal();
  const { incarnation, ssn, sid, ackedSeq, pending } = replica;
  return { client, lineage: { incarnation, ssn, sid }, ackedSeq, pending };
}
