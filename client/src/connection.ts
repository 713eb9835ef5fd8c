// Connection: one document's life on this client, as docs/PROTOCOL.md tells it ("A client's life"). It
// owns the replica and the socket, and it never does I/O itself: sockets, timers and randomness are
// handed in (ports.ts), so tests play whole lives without a network.
//
// Promises: an edit that `insert` or `erase` took is either acknowledged by the server, or still
// counted in `unsaved` and pushed again after every reconnect, unchanged; and when no document will
// take it any more, it comes back to the user as a Rescue. It is never dropped silently.
import { Arriving } from "./arriving.js";
import { MalformedMessage } from "./bytes.js";
import type { ConnectionEvents, ConnectionOptions, ConnectionState } from "./connection_types.js";
import { EditOutcome, type WeftDocument } from "./core.js";
import { Emitter } from "./events.js";
import { insertedTexts } from "./operations.js";
import type { Ports, Socket } from "./ports.js";
import { PeerList, PresenceSender } from "./presence.js";
import {
  CloseCode,
  Kind,
  decodeServerMessage,
  encodeHeartbeatReply,
  encodeHello,
  encodePresence,
  encodePush,
  type Heartbeat,
  type Operations,
  type Peer,
  type Presence,
  type Refused,
  type ServerMessage,
  type Welcome,
} from "./protocol.js";
import { Diverged, Replica } from "./replica.js";
import type { StoredSession } from "./store.js";
import { cleanText } from "./text.js";

const firstDelayMs = 200;
const lastDelayMs = 5_000;
const welcomeTimeoutMs = 10_000;
const defaultHeartbeatMs = 5_000;
const defaultMaxMessageBytes = 1 << 20;
// Pushes beyond this wait for acknowledgements, and edits gather in fewer, larger ones meanwhile.
const maxPushesInFlight = 64;
const maxBacklogBytes = 1 << 20;

export class Connection extends Emitter<ConnectionEvents> {
  readonly #options: ConnectionOptions;
  readonly #ports: Ports;
  readonly #peers = new PeerList();
  readonly #presence: PresenceSender;
  #client: string;
  #restored: StoredSession | null;
  #replica: Replica | null = null;
  #arriving: Arriving | null = null;
  #welcome: Welcome | null = null;
  #refused: Refused | null = null;
  #state: ConnectionState = { kind: "connecting" };
  #socket: Socket | null = null;
  #generation = 0;  // of sockets: events of an older one are ignored
  #failures = 0;
  #tokenRefusals = 0;
  #distrust = false;  // say hello without a state
  #pushesSent = 0;  // of the replica's pending, on this socket
  #flushPlanned = false;
  #unsavedSaid = 0;
  #heardAt = 0;
  #cancelTimer: (() => void) | null = null;

  constructor(options: ConnectionOptions) {
    super();
    this.#options = options;
    this.#ports = options.ports;
    this.#restored = options.restored ?? null;
    this.#client = this.#restored?.client ?? this.#ports.newClientId();
    this.#presence = new PresenceSender(this.#ports.timers, (presence) => this.#say(presence));
  }

  // --- what the page sees -------------------------------------------------------------------------

  get state(): ConnectionState {
    return this.#state;
  }
  /** Null before the first synchronisation. */
  get document(): WeftDocument | null {
    return this.#replica?.document ?? null;
  }
  get editable(): boolean {
    return this.#replica !== null && this.#state.kind !== "closed";
  }
  get unsaved(): number {
    if (this.#replica !== null) return this.#replica.unsaved;
    const last = this.#restored?.pending.at(-1);
    return last === undefined ? 0 : last.lastSeq - this.#restored!.ackedSeq;
  }
  get peers(): readonly Peer[] {
    return this.#peers.all;
  }
  get client(): string {
    return this.#client;
  }
  get site(): number {
    return this.#replica?.sid ?? 0;
  }
  get applied(): number {
    return this.#replica?.applied ?? 0;
  }
  get ackedSeq(): number {
    return this.#replica?.ackedSeq ?? this.#restored?.ackedSeq ?? 0;
  }
  /** Last own seq, acknowledged or not. */
  get lastSeq(): number {
    return this.#replica === null ? 0 : this.#replica.document.seqOf(this.#replica.sid);
  }

  start(): void {
    void this.#connect();
  }

  /** Applied at once, pushed soon. REQUIRES: editable. */
  insert(at: number, text: string): EditOutcome {
    if (!this.editable) return EditOutcome.noSite;
    return this.#edited(this.#replica!.insert(at, cleanText(text)));
  }
  /** The same. Offsets and ends must not lie inside a surrogate pair. */
  erase(at: number, count: number): EditOutcome {
    if (!this.editable) return EditOutcome.noSite;
    return this.#edited(this.#replica!.erase(at, count));
  }

  setPresence(presence: Presence): void {
    this.#presence.set(presence);
  }

  /** The network is back: do not wait for the next attempt. */
  retryNow(): void {
    if (this.#state.kind !== "waiting") return;
    this.#stopTimer();
    void this.#connect();
  }

  /** Sends what is open and answers with what a successor needs to carry on (SessionStore.save). */
  handOver(): StoredSession {
    this.#flush();
    const replica = this.#replica;
    if (replica === null) {
      return this.#restored ?? { client: this.#client, lineage: null, ackedSeq: 0, pending: [] };
    }
    replica.seal();
    const { incarnation, ssn, sid, ackedSeq, pending } = replica;
    return { client: this.#client, lineage: { incarnation, ssn, sid }, ackedSeq, pending };
  }

  close(): void {
    this.#finish(CloseCode.normal, "closed");
  }

  // --- the socket's life --------------------------------------------------------------------------

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    const current = () => generation === this.#generation;
    this.#become({ kind: "connecting" });
    this.#after(welcomeTimeoutMs, () => this.#lost(0, "no answer"));
    let token = "";
    try {
      const why = this.#tokenRefusals > 0 ? "refused" : "connect";
      token = (await this.#options.token?.(why)) ?? "";
    } catch {
      if (current()) this.#lost(0, "no token");
      return;
    }
    if (!current()) return;
    this.#socket = this.#ports.openSocket(this.#options.url, {
      opened: () => {
        if (current()) this.#socket?.send(encodeHello(token, this.#client, this.#held()));
      },
      received: (bytes) => {
        if (current()) this.#receive(bytes);
      },
      closed: (code, reason) => {
        if (current()) this.#lost(code, reason);
      },
    });
  }

  #held() {
    const replica = this.#replica;
    if (replica === null || this.#distrust) return null;
    const { incarnation, ssn, applied, ackedSeq } = replica;
    return { incarnation, ssn, applied, ackedSeq };
  }

  #receive(bytes: Uint8Array): void {
    this.#heardAt = this.#ports.timers.now();
    try {
      const message = decodeServerMessage(bytes);
      if (message !== null) this.#handle(message);
    } catch (error) {
      if (error instanceof Diverged || error instanceof MalformedMessage) {
        this.#distrust = true;
        this.emit("diverged", error.message);
        this.#lost(0, error.message);
        return;
      }
      // A bug, in the core or in the page: the replica cannot be trusted, the user's text can.
      this.#rescue("client_failed", String(error));
      this.#finish(CloseCode.clientFailed, "The editor has failed; reloading the page helps.");
      throw error;
    }
  }

  #handle(message: ServerMessage): void {
    if (message.kind === Kind.welcome) return this.#onWelcome(message);
    if (message.kind === Kind.refused) return void (this.#refused = message);
    if (this.#welcome === null) throw new MalformedMessage("the server did not say welcome first");
    switch (message.kind) {
      case Kind.snapshot:
        if (this.#arriving === null) throw new MalformedMessage("nobody asked for a snapshot");
        this.#arriving.snapshot(message);
        return this.#checkInSync();
      case Kind.operations:
        return this.#onOperations(message);
      case Kind.ack:
        this.#onAck(message.seq, message.index);
        return;
      case Kind.peers:
        this.#peers.apply(message);
        this.emit("peers", this.#peers.all);
        return;
      case Kind.heartbeat:
        return this.#onHeartbeat(message);
    }
  }

  /** The socket is gone, or has to go. What happens next depends on why. */
  #lost(code: number, reason: string): void {
    this.#hangUp(reason);
    const refused = this.#refused;
    this.#refused = null;
    const said = refused?.message || reason;
    switch (code) {
      case CloseCode.badMessage:
      case CloseCode.forbidden:
      case CloseCode.notFound:
      case CloseCode.protocolVersion:
        this.#rescue(refused?.code ?? String(code), said);
        return this.#finish(code, said);
      case CloseCode.unauthorized:
        if (++this.#tokenRefusals <= 2) break;
        this.#rescue(refused?.code ?? "unauthorized", said);
        return this.#finish(code, said);
      case CloseCode.conflict:
      case CloseCode.replaced:
      case CloseCode.messageTooBig:
        this.#startAnew(refused?.code ?? String(code), said);
        break;
    }
    const longest = Math.min(lastDelayMs, firstDelayMs * 2 ** this.#failures++);
    const delayMs = longest * (0.5 + 0.5 * this.#ports.random());
    this.#become({ kind: "waiting", delayMs, reason: said });
    this.#after(delayMs, () => void this.#connect());
  }

  /**
   * The state does not fit the server's document: the user's text goes into a Rescue, and we come back
   * as a new client, because an id that was once issued must never name anything else.
   */
  #startAnew(code: string, message: string): void {
    this.#rescue(code, message);
    this.#client = this.#ports.newClientId();
    this.#restored = null;
    this.#distrust = false;
    const old = this.#replica;
    this.#replica = null;
    this.emit("document", null);
    old?.document.free();
    this.#sayUnsaved();
  }

  #rescue(code: string, message: string): void {
    let edits = this.#unsavedSaid;
    let text: string | null = null;
    try {
      edits = this.unsaved;
      this.#replica?.seal();
      text = this.document?.text() ?? null;
    } catch {
      // The core itself failed; the sealed bytes are still ours.
    }
    if (edits === 0) return;
    const pending = this.#replica?.pending ?? this.#restored?.pending ?? [];
    const inserted = insertedTexts(pending.map((push) => push.bytes));
    const id = this.#ports.newClientId();
    this.emit("rescue", { id, code, message, edits, text, inserted });
  }

  #finish(code: number, reason: string): void {
    ++this.#generation;
    this.#hangUp(reason);
    this.#presence.stop();
    this.#become({ kind: "closed", code, reason });
  }

  #hangUp(reason: string): void {
    ++this.#generation;
    this.#stopTimer();
    this.#socket?.close(CloseCode.normal, reason.slice(0, 40).replace(/[^ -~]/g, "?"));
    this.#socket = null;
    this.#welcome = null;
    this.#pushesSent = 0;
    this.#arriving?.free();
    this.#arriving = null;
    if (this.#peers.all.length > 0) {
      this.#peers.clear();
      this.emit("peers", []);
    }
  }

  // --- synchronisation ----------------------------------------------------------------------------

  #onWelcome(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#tokenRefusals = 0;
    const known = this.#replica ?? this.#restored?.lineage ?? null;
    const ackedSeq = this.#replica?.ackedSeq ?? this.#restored?.ackedSeq ?? 0;
    const fits =
      known === null ||
      (known.incarnation === welcome.incarnation &&
        known.ssn === welcome.ssn &&
        known.sid === welcome.sid &&
        welcome.ackedSeq >= ackedSeq);
    if (!fits) return this.#lost(CloseCode.conflict, "the document was rebuilt");
    this.#become({ kind: "syncing" });
    this.#watch();
    if (welcome.snapshotFollows || this.#replica === null) {
      this.#arriving = new Arriving(this.#options.core, welcome);
    } else {
      this.#replica.noteAcked(welcome.ackedSeq);
      this.#acknowledged();
    }
    this.#checkInSync();
  }

  #onOperations(message: Operations): void {
    if (this.#arriving !== null) {
      this.#arriving.rows(message);
    } else {
      const { firstIndex, count, operations } = message;
      const patches = this.#replica!.applyRows(firstIndex, count, operations);
      if (patches.length > 0) this.emit("patches", patches);
      this.#planFlush();  // rows seal what is open
    }
    this.#checkInSync();
  }

  #checkInSync(): void {
    if (this.#state.kind !== "syncing") return;
    if (this.#arriving !== null) {
      if (!this.#arriving.inSync || !this.#adopt(this.#arriving)) return;
    } else if (this.#replica === null || this.#replica.applied < this.#welcome!.lastIndex) {
      return;
    }
    this.#failures = 0;
    this.#distrust = false;
    this.#become({ kind: "live" });
    this.#presence.renew();
    this.#flush();
  }

  /** The arrived document takes the place of the old one; own unacknowledged operations move along. */
  #adopt(arriving: Arriving): boolean {
    const { incarnation, ssn, sid, ackedSeq, maxMessageBytes } = arriving.welcome;
    const old = this.#replica;
    old?.seal();
    const before = old?.pending ?? this.#restored?.pending ?? [];
    const pending = before.filter((push) => push.lastSeq > ackedSeq);
    const document = arriving.take(pending);
    if (document === null) {
      this.#lost(CloseCode.conflict, "own edits do not fit the document");
      return false;
    }
    this.#arriving = null;
    this.#replica = new Replica({
      document,
      incarnation,
      ssn,
      sid,
      applied: arriving.applied,
      ackedSeq,
      pending,
      maxMessageBytes: maxMessageBytes || defaultMaxMessageBytes,
    });
    this.#restored = null;
    this.emit("document", document);
    old?.document.free();
    this.#acknowledged();
    return true;
  }

  // --- edits --------------------------------------------------------------------------------------

  #edited(outcome: EditOutcome): EditOutcome {
    this.#sayUnsaved();
    this.#planFlush();
    return outcome;
  }

  /** Once for all edits that the page makes in one go. */
  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    this.#ports.timers.soon(() => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    const replica = this.#replica;
    const socket = this.#socket;
    if (replica === null || socket === null || this.#state.kind !== "live") return;
    const room = () => this.#pushesSent < maxPushesInFlight && socket.backlog < maxBacklogBytes;
    if (room()) replica.seal();
    while (this.#pushesSent < replica.pending.length && room()) {
      const push = replica.pending[this.#pushesSent++]!;
      socket.send(encodePush(push.base, push.bytes));
    }
  }

  #onAck(seq: number, index: number): void {
    const replica = this.#replica;
    if (replica === null) return;
    const before = replica.pending.length;
    replica.acknowledge(seq, index);
    this.#pushesSent = Math.max(0, this.#pushesSent - (before - replica.pending.length));
    this.#acknowledged();
    this.#checkInSync();
    this.#planFlush();
  }

  #acknowledged(): void {
    this.emit("acknowledged", this.#replica!.ackedSeq);
    this.#sayUnsaved();
  }

  #sayUnsaved(): void {
    const unsaved = this.unsaved;
    if (unsaved === this.#unsavedSaid) return;
    this.#unsavedSaid = unsaved;
    this.emit("unsaved", unsaved);
  }

  // --- staying alive ------------------------------------------------------------------------------

  #onHeartbeat({ index, stateHash }: Heartbeat): void {
    const replica = this.#replica;
    if (replica === null || this.#arriving !== null) {
      this.#socket?.send(encodeHeartbeatReply(this.#arriving?.applied ?? 0, null));
      return;
    }
    const comparable = stateHash !== null && replica.unsaved === 0 && replica.applied === index;
    const own = comparable ? replica.document.stateHash() : null;
    this.#socket?.send(encodeHeartbeatReply(replica.applied, own));
    if (own !== null && own !== stateHash) throw new Diverged(`another state at index ${index}`);
    this.#flush();  // in case the backlog held something back
  }

  #watch(): void {
    const interval = this.#welcome?.heartbeatMs || defaultHeartbeatMs;
    this.#after(interval, () => {
      if (this.#ports.timers.now() - this.#heardAt > 3 * interval) {
        this.#lost(CloseCode.silent, "the server is silent");
      } else {
        this.#watch();
      }
    });
  }

  #say(presence: Presence): boolean {
    if (this.#socket === null || this.#state.kind !== "live") return false;
    this.#flush();  // the others should know the elements that the anchors name
    this.#socket.send(encodePresence(presence));
    return true;
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.emit("state", state);
  }

  /** One timer at a time: the answer's, the next attempt's, or the watch over the server's silence. */
  #after(delayMs: number, f: () => void): void {
    this.#stopTimer();
    this.#cancelTimer = this.#ports.timers.after(delayMs, f);
  }
  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}
