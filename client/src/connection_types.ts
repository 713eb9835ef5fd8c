// What a Connection tells and what it is given.
import type { Access } from "./access.js";
import type { Core, Patch, WeftDocument } from "./core.js";
import type { Ports } from "./ports.js";
import type { Peer } from "./protocol.js";
import type { Rescue, StoredSession } from "./store.js";

export type ConnectionState =
  | { readonly kind: "connecting" }
  /** Welcomed, rows are on their way. */
  | { readonly kind: "syncing" }
  | { readonly kind: "live" }
  /** Between two attempts. */
  | { readonly kind: "waiting"; readonly delayMs: number; readonly reason: string }
  /** For good: deleted, forbidden, or closed by us. */
  | { readonly kind: "closed"; readonly code: number; readonly reason: string };

export interface ConnectionEvents {
  state: ConnectionState;
  /** Own characters not acknowledged yet; 0 means that everything is durable. */
  unsaved: number;
  /** Own operations up to this seq are durable. */
  acknowledged: number;
  /** What others did, to be shown in this order. */
  patches: readonly Patch[];
  /** The document is another object now: show its text. Null while there is none. */
  document: WeftDocument | null;
  peers: readonly Peer[];
  /** What this session may do; from the welcome on, and when it changes. */
  access: Access;
  /** The document cannot take these edits any more: keep them for the user. */
  rescue: Rescue;
  /** Client and server had different texts; it has been mended from the server. */
  diverged: string;
}

export interface ConnectionOptions {
  readonly core: Core;
  /** ws: or wss:, …/api/v1/documents/{id}/ws */
  readonly url: string;
  readonly ports: Ports;
  /** From SessionStore.claim; a fresh client otherwise. */
  readonly restored?: StoredSession | null;
  /** Asked before each attempt, `refused` when the last token was; and `renew` before it ends. */
  readonly token?: (why: "connect" | "refused" | "renew") => string | Promise<string>;
}
