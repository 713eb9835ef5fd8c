// Notices that the other side has stopped speaking though the connection stands.
import type { Ports } from "./ports.js";
import { OneTimer } from "./timer.js";

export class Silence {
  readonly #timers: Ports["timers"];
  readonly #timer: OneTimer;
  readonly #noticed: () => void;
  #heardAt = 0;

  constructor(timers: Ports["timers"], noticed: () => void) {
    this.#timers = timers;
    this.#timer = new OneTimer(timers);
    this.#noticed = noticed;
  }

  heard(): void {
    this.#heardAt = this.#timers.now();
  }

  /** From now on three intervals without a word are too long. */
  watch(intervalMs: number): void {
    this.#timer.after(intervalMs, () => {
      if (this.#timers.now() - this.#heardAt > 3 * intervalMs) this.#noticed();
      else this.watch(intervalMs);
    });
  }

  stop(): void {
    this.#timer.stop();
  }
}
