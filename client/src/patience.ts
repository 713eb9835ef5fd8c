// How long a client waits: for a connection, for the server's word, and between two attempts. Pure.

/** Behind a broken line nothing answers, and the system asks again after longer and longer pauses. */
export const openTimeoutMs = 5_000;
/** Of a connection that is open. The server may have to load the document first. */
export const welcomeTimeoutMs = 10_000;

const [firstDelayMs, lastDelayMs] = [200, 5_000];

/** Before the next attempt, after so many that failed. `random`: from 0 to 1. */
export function delayAfter(failures: number, random: number): number {
  return Math.min(lastDelayMs, firstDelayMs * 2 ** failures) * (0.5 + 0.5 * random);
}
