// Timers that obey the test: time passes only in `advance`.
import type { Timers } from "../src/ports.js";

export class VirtualTime implements Timers {
  #now = 0;
  #order = 0;
  #soon: (() => void)[] = [];
  #waiting: { at: number; order: number; f: () => void }[] = [];

  now(): number {
    return this.#now;
  }
  after(delayMs: number, f: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, delayMs), order: this.#order++, f };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }
  soon(f: () => void): void {
    this.#soon.push(f);
  }
  /** Runs everything that is due in the next `ms`, in order of time. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await this.#settle();
      const next = this.#waiting
        .filter((entry) => entry.at <= end)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#waiting = this.#waiting.filter((entry) => entry !== next);
      next.f();
    }
    this.#now = end;
  }
  async #settle(): Promise<void> {
    do {
      for (const f of this.#soon.splice(0)) f();
      await Promise.resolve();  // token functions answer with promises
      await Promise.resolve();
    } while (this.#soon.length > 0);
  }
}
