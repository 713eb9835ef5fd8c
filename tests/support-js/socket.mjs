// A WebSocket on one document that remembers what came, for tests that look at single messages.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import WebSocket from "ws";
import { decodeServerMessage, encodeHeartbeatReply, encodeHello, subprotocol } from "./protocol.mjs";

export class TestSocket {
  messages = [];
  wasOpen = false;
  #waiting = [];

  constructor(server, id, { subprotocols = [subprotocol], headers = {}, ca } = {}) {
    const url = `${server.origin.replace(/^http/, "ws")}/api/v1/documents/${id}/ws`;
    this.client = randomUUID();
    this.ws = new WebSocket(url, subprotocols, { headers, ca, perMessageDeflate: true });
    this.ws.binaryType = "nodebuffer";
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
    this.ws.on("open", () => (this.wasOpen = true));
    this.ws.on("error", (error) => (this.error = error));
    this.ws.on("message", (data) => {
      const message = decodeServerMessage(data);
      if (message !== null) this.messages.push(message);
      this.#wake();
    });
  }

  /** The upgrade was accepted; the server may have closed since. */
  async opened() {
    if (this.ws.readyState === WebSocket.CONNECTING) {
      await Promise.race([once(this.ws, "open"), this.closed]);
    }
    if (!this.wasOpen) throw this.error ?? new Error("it did not open");
    return this;
  }

  /** Opens, says hello, and gives the welcome. */
  async join(hello = {}) {
    await this.opened();
    this.ws.send(encodeHello({ client: this.client, ...hello }));
    return this.next("welcome");
  }

  /** Answers heartbeats by itself from now on, so that it may stay for as long as it likes. */
  stay() {
    this.ws.on("message", () => {
      const at = this.messages.findIndex(({ kind }) => kind === "heartbeat");
      if (at < 0) return;
      this.messages.splice(at, 1);
      if (this.ws.readyState === WebSocket.OPEN) this.ws.send(encodeHeartbeatReply(0));
    });
    return this;
  }

  /** The first message of a kind, taken out of `messages`. */
  async next(kind, timeoutMs = 5_000) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const at = this.messages.findIndex((message) => message.kind === kind);
      if (at >= 0) return this.messages.splice(at, 1)[0];
      if (this.ws.readyState === WebSocket.CLOSED || Date.now() > deadline) {
        throw new Error(
          `no ${kind}; got ${this.messages.map((m) => m.kind).join(", ") || "nothing"}`,
        );
      }
      await new Promise((resolve) => {
        this.#waiting.push(resolve);
        setTimeout(resolve, 200).unref();
      });
    }
  }

  #wake() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
