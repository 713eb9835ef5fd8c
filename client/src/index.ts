// @weft/client: the parts that need no editor. The CodeMirror 6 binding is "@weft/client/codemirror".
export { Core, EditOutcome, Side, WeftDocument, type Anchor, type Patch } from "./core.js";
export type { Access, Role } from "./access.js";
export { Connection } from "./connection.js";
export type { ConnectionEvents, ConnectionOptions, ConnectionState } from "./connection_types.js";
export { browserPorts } from "./browser.js";
export type { Ports, Socket, SocketEvents, Timers } from "./ports.js";
export { CloseCode, subprotocol, type Peer, type Presence, type Selection } from "./protocol.js";
export { SessionStore, type KeyValueStorage, type Rescue, type StoredSession } from "./store.js";
export { cleanText, difference } from "./text.js";
