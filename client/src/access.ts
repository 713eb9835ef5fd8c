// What this session may do, where there is access control; and a fresh token in time.
import type { Ports } from "./ports.js";
import type { AccessGiven } from "./protocol.js";
import { OneTimer } from "./timer.js";

export type Role = "viewer" | "commenter" | "editor" | "owner";

export interface Access {
  readonly role: Role;
  /** As which others see this session. */
  readonly name: string;
}

const roles: readonly Role[] = ["viewer", "commenter", "editor", "owner"];
const longestTimerMs = 2 ** 31 - 1;

/** Role and name, until the session ends; asks for a fresh token when nine tenths of the time are over. */
export class AccessKeeper {
  readonly #timer: OneTimer;
  readonly #renew: () => void;
  #current: Access | null = null;

  constructor(timers: Ports["timers"], renew: () => void) {
    this.#timer = new OneTimer(timers);
    this.#renew = renew;
  }

  /** Null without access control: everything may be done. */
  get current(): Access | null {
    return this.#current;
  }
  get mayEdit(): boolean {
    const role = this.#current?.role ?? "owner";
    return role === "editor" || role === "owner";
  }

  heard({ role, expiresInS, name }: AccessGiven): void {
    // A role from the future may at least do what the highest known one may.
    this.#current = { role: roles[Math.min(Math.max(role, 1), 4) - 1]!, name };
    const delayMs = Math.max(expiresInS * 900, 1_000);
    if (delayMs <= longestTimerMs) this.#timer.after(delayMs, this.#renew);
    else this.#timer.stop();
  }

  /** The session is over. The role stays known, so that nothing flickers while it comes back. */
  stop(): void {
    this.#timer.stop();
  }
}
