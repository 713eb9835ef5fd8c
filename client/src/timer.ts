// One timer at a time: setting it anew forgets what it was set to.
import type { Ports } from "./ports.js";

export class OneTimer {
  readonly #timers: Ports["timers"];
  #cancel: (() => void) | null = null;

  constructor(timers: Ports["timers"]) {
    this.#timers = timers;
  }

  after(delayMs: number, f: () => void): void {
    this.stop();
    this.#cancel = this.#timers.after(delayMs, f);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
