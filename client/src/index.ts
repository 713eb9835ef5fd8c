// @weft/client: the parts that need no editor. The CodeMirror 6 binding is "@weft/client/codemirror".
export { Core, EditOutcome, Side, WeftDocument, type Anchor, type Patch } from "./core.js";
export {
  Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  type ConnectionState,
} from "./connection.js";
export { browserPorts } from "./browser.js";
export type { Ports, Socket, SocketEvents, Timers } from "./ports.js";
export { CloseCode, subprotocol, type Peer, type Presence, type Selection } from "./protocol.js";
export { SessionStore, type KeyValueStorage, type Rescue, type StoredSession } from "./store.js";
export { cleanText, difference } from "./text.js";
