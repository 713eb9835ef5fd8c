// Connection: one document's life on this client, as docs/PROTOCOL.md tells it ("A client's life"). It
// owns the replica and the socket, and it never does I/O itself: sockets, timers and randomness are
// handed in (ports.ts), so tests play whole lives without a network.
//
// Promises: an edit that was taken is either acknowledged by the server, or counted in `unsaved` and
// pushed again after every reconnect, unchanged; and when no document will take it any more, it comes
// back to the user as a Rescue.
import { type Access, AccessKeeper } from "./access.js";
import { Arriving } from "./arriving.js";
import { MalformedMessage } from "./bytes.js";
import type { ConnectionEvents, ConnectionOptions, ConnectionState } from "./connection_types.js";
import { EditOutcome, type WeftDocument } from "./core.js";
import { Emitter } from "./events.js";
import { LatePushes, acknowledged, comeLate } from "./late.js";
import { delayAfter, openTimeoutMs, welcomeTimeoutMs } from "./patience.js";
import type { Ports, Socket } from "./ports.js";
import { PeerList, PresenceSender } from "./presence.js";
import type { Ack, Heartbeat, Operations, Peer, Presence, Refused, ServerMessage, Welcome } from "./protocol.js";
import { CloseCode, Kind, decodeServerMessage } from "./protocol.js";
import { encodeHeartbeatReply, encodeHello, encodePresence, encodePush, encodeRenew } from "./protocol.js";
import { PushFlow } from "./push_flow.js";
import { Diverged, type Push, type Replica, heldState, sameLineage } from "./replica.js";
import { handedOver, rescued, unsavedOf } from "./rescue.js";
import { Silence } from "./silence.js";
import type { StoredSession } from "./store.js";
import { cleanText } from "./text.js";
import { OneTimer } from "./timer.js";

const forLate = new Set([Kind.ack, Kind.heartbeat, Kind.access]);

export class Connection extends Emitter<ConnectionEvents> {
  readonly #options: ConnectionOptions;
  readonly #ports: Ports;
  readonly #peers = new PeerList();
  readonly #presence: PresenceSender;
  /** The answer's, or the next attempt's. */
  readonly #timer: OneTimer;
  readonly #access: AccessKeeper;
  readonly #silence: Silence;
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
  #late: LatePushes | null = null;  // on this socket
  #stale = false;  // own operations stand in the log otherwise than in the replica
  #flow = new PushFlow();  // on this socket
  #flushPlanned = false;
  #unsavedSaid = 0;

  constructor(options: ConnectionOptions) {
    super();
    this.#options = options;
    this.#ports = options.ports;
    this.#restored = options.restored ?? null;
    this.#client = this.#restored?.client ?? this.#ports.newClientId();
    this.#timer = new OneTimer(this.#ports.timers);
    this.#access = new AccessKeeper(this.#ports.timers, () => void this.#renew());
    this.#silence = new Silence(this.#ports.timers, () => this.#lost(CloseCode.silent, "silence"));
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
    return this.#replica !== null && this.#state.kind !== "closed" && this.#access.mayEdit;
  }
  /** Null where everybody may do everything. */
  get access(): Access | null {
    return this.#access.current;
  }
  get unsaved(): number {
    return this.#replica === null ? unsavedOf(this.#restored) : this.#replica.unsaved;
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
    this.#timer.stop();
    void this.#connect();
  }

  /** Sends what is open and answers with what a successor needs to carry on (SessionStore.save). */
  handOver(): StoredSession {
    this.#flush();
    return handedOver(this.#client, this.#replica, this.#restored);
  }

  close(): void {
    this.#finish(CloseCode.normal, "closed");
  }

  // --- the socket's life --------------------------------------------------------------------------

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    const current = () => generation === this.#generation;
    this.#become({ kind: "connecting" });
    this.#timer.after(welcomeTimeoutMs, () => this.#lost(0, "no answer"));
    let token = "";
    try {
      const why = this.#tokenRefusals > 0 ? "refused" : "connect";
      token = (await this.#options.token?.(why)) ?? "";
    } catch {
      if (current()) this.#lost(0, "no token");
      return;
    }
    if (!current()) return;
    this.#timer.after(openTimeoutMs, () => this.#lost(0, "no connection"));
    this.#socket = this.#ports.openSocket(this.#options.url, {
      opened: () => {
        if (current()) this.#sayHello(token);
      },
      received: (bytes) => {
        if (current()) this.#receive(bytes);
      },
      closed: (code, reason) => {
        if (current()) this.#lost(code, reason);
      },
    });
  }

  /** Without a fresh token the server ends the session when the old one ends, and we come back. */
  async #renew(): Promise<void> {
    const generation = this.#generation;
    const token = await Promise.resolve(this.#options.token?.("renew") ?? "").catch(() => "");
    if (token !== "" && generation === this.#generation) this.#socket?.send(encodeRenew(token));
  }

  #sayHello(token: string): void {
    this.#timer.after(welcomeTimeoutMs, () => this.#lost(0, "no answer"));
    const usable = this.#replica !== null && !this.#distrust && !this.#stale;
    this.#socket?.send(encodeHello(token, this.#client, usable ? heldState(this.#replica!) : null));
  }

  #receive(bytes: Uint8Array): void {
    this.#silence.heard();
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
    if (this.#late !== null && !forLate.has(message.kind)) return;
    switch (message.kind) {
      case Kind.snapshot:
        if (this.#arriving === null) throw new MalformedMessage("nobody asked for a snapshot");
        this.#arriving.snapshot(message);
        return this.#checkInSync();
      case Kind.operations:
        return this.#onOperations(message);
      case Kind.ack:
        return this.#late !== null || message.rebased ? this.#onLateAck(message) : this.#onAck(message);
      case Kind.peers:
        this.#peers.apply(message);
        this.emit("peers", this.#peers.all);
        return;
      case Kind.heartbeat:
        return this.#onHeartbeat(message);
      case Kind.access:
        this.#access.heard(message);
        return this.emit("access", this.#access.current!);
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
    const delayMs = delayAfter(this.#failures++, this.#ports.random());
    this.#become({ kind: "waiting", delayMs, reason: said });
    this.#timer.after(delayMs, () => void this.#connect());
  }

  /**
   * The state does not fit the server's document: the user's text goes into a Rescue, and we come back
   * as a new client, because an id that was once issued must never name anything else.
   */
  #startAnew(code: string, message: string): void {
    this.#rescue(code, message);
    this.#client = this.#ports.newClientId();
    this.#restored = null;
    this.#distrust = this.#stale = false;
    const old = this.#replica;
    this.#replica = null;
    this.emit("document", null);
    old?.document.free();
    this.#sayUnsaved();
  }

  #rescue(code: string, message: string): void {
    const id = this.#ports.newClientId();
    const rescue = rescued(id, code, message, this.#unsavedSaid, this.#replica, this.#restored);
    if (rescue !== null) this.emit("rescue", rescue);
  }

  #finish(code: number, reason: string): void {
    ++this.#generation;
    this.#hangUp(reason);
    this.#presence.stop();
    this.#become({ kind: "closed", code, reason });
  }

  #hangUp(reason: string): void {
    ++this.#generation;
    this.#timer.stop();
    this.#access.stop();
    this.#silence.stop();
    this.#socket?.close(CloseCode.normal, reason.slice(0, 40).replace(/[^ -~]/g, "?"));
    this.#socket = null;
    this.#welcome = null;
    this.#late = null;
    this.#flow = new PushFlow();
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
    const fits = known === null || (sameLineage(known, welcome) && welcome.ackedSeq >= this.ackedSeq);
    if (!fits) return this.#lost(CloseCode.conflict, "the document was rebuilt");
    this.#become({ kind: "syncing" });
    this.#timer.stop();
    this.#silence.watch(welcome.heartbeatMs || 5_000);
    // Even if they are acknowledged by now, they may have been rebased.
    if (comeLate(this.#pending(), welcome.horizon)) this.#stale = true;
    const more = this.#pending().some((push) => push.lastSeq > welcome.ackedSeq);
    if (this.#stale && (more || (this.#replica !== null && !welcome.snapshotFollows))) {
      this.#noteAcked(welcome.ackedSeq);
      return this.#beLate(new LatePushes());
    }
    if (welcome.snapshotFollows || this.#replica === null) {
      this.#arriving = new Arriving(this.#options.core, welcome);
    } else {
      this.#noteAcked(welcome.ackedSeq);
    }
    this.#checkInSync();
  }

  #noteAcked(seq: number): void {
    if (this.#replica !== null) {
      this.#replica.noteAcked(seq);
      this.emit("acknowledged", this.#replica.ackedSeq);
    } else if (this.#restored !== null) {
      this.#restored = acknowledged(this.#restored, seq);
    }
    this.#sayUnsaved();
  }

  /** Own pushes that are not acknowledged, with what is open. */
  #pending(): readonly Push[] {
    this.#replica?.seal();
    return this.#replica?.pending ?? this.#restored?.pending ?? [];
  }

  // --- late operations ----------------------------------------------------------------------------

  #beLate(late: LatePushes): void {
    this.#late = late;
    this.#stale = true;
    this.#arriving?.free();
    this.#arriving = null;
    this.#goOnLate();
  }

  #onLateAck({ seq, rebased }: Ack): void {
    this.#noteAcked(seq);
    if (this.#late !== null) return this.#goOnLate();
    if (rebased) this.#beLate(new LatePushes(this.#flow.sentSeq));
  }

  /** The next push; when there is none, a fresh state. */
  #goOnLate(): void {
    const pending = this.#pending();
    if (pending.length === 0) {
      this.#distrust = true;
      this.#hangUp("own operations were rebased");
      return void this.#connect();
    }
    const push = this.#late!.next(pending);
    if (push !== null) this.#socket?.send(encodePush(push.base, push.bytes));
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
    const old = this.#replica;
    const pending = this.#pending().filter((push) => push.lastSeq > arriving.welcome.ackedSeq);
    const document = this.#stale && pending.length > 0 ? null : arriving.take(pending);
    if (document === null) {
      if (arriving.welcome.horizon > 0) {
        this.#beLate(new LatePushes());
        return false;
      }
      this.#lost(CloseCode.conflict, "own edits do not fit the document");
      return false;
    }
    this.#arriving = null;
    this.#replica = arriving.replica(document, pending);
    this.#restored = null;
    this.#stale = false;
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
    if (this.#late !== null) return this.#goOnLate();
    const replica = this.#replica;
    const socket = this.#socket;
    if (replica === null || socket === null || this.#state.kind !== "live") return;
    this.#flow.flush(replica, socket);
  }

  #onAck({ seq, index }: Ack): void {
    const replica = this.#replica;
    if (replica === null) return;
    replica.acknowledge(seq, index);
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
    if (replica === null || this.#arriving !== null || this.#late !== null) {
      this.#socket?.send(encodeHeartbeatReply(this.#arriving?.applied ?? 0, null));
      return;
    }
    const comparable = stateHash !== null && replica.unsaved === 0 && replica.applied === index;
    const own = comparable ? replica.document.stateHash() : null;
    this.#socket?.send(encodeHeartbeatReply(replica.applied, own));
    if (own !== null && own !== stateHash) throw new Diverged(`another state at index ${index}`);
    this.#flush();  // in case the backlog held something back
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
}
