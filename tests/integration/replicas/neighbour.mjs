// What a server of a neighbouring version would say on the bus, in the forms of src/bus/frame.h, src/bus/seal.h
// and src/collab/replica_message.h: written from those pages, with the database's own secret.
import { createHmac, randomUUID } from "node:crypto";
import { Writer } from "../../support-js/bytes.mjs";
import { encodePresence } from "../../support-js/protocol.mjs";

export const Kind = { logNews: 1, presenceNews: 2, documentGone: 3, accessNews: 4 };

export class Neighbour {
  #secret;
  #postgres;
  instance = randomUUID();

  constructor(postgres) {
    this.#postgres = postgres;
    const [{ secret }] = postgres.query("SELECT encode(secret, 'hex') AS secret FROM replication_secret");
    this.#secret = Buffer.from(secret, "hex");
  }

  /** `more`: fields that this version does not know. */
  message(kind, fields, { version = 1, more = [] } = {}) {
    return new Writer().u8(version).u8(kind).text("neighbour").uuid(this.instance).raw(fields).raw(more).finish();
  }
  logNews({ document, incarnation, lastIndex }, options) {
    const fields = new Writer().uuid(document).uuid(incarnation).varint(lastIndex).varint(0).varint(0).finish();
    return this.message(Kind.logNews, fields, options);
  }
  /** Somebody of that name and session on the neighbour. */
  presence({ document, order, session, name }, options) {
    const state = encodePresence({ name });
    const peer = new Writer().varint(session).varint(1).varint(1).text("").bytes(state).finish();
    const fields = new Writer().uuid(document).varint(order).varint(1).raw(peer).finish();
    return this.message(Kind.presenceNews, fields, options);
  }

  sealed(message, { version = 1, secret = this.#secret } = {}) {
    const head = Buffer.from([0x57, version]);
    const code = createHmac("sha256", secret).update("weft bus\n").update(head).update(message).digest();
    return Buffer.concat([head, code, message]);
  }
  frame(messages, version = 1) {
    const out = new Writer().u8(version);
    for (const message of messages) out.bytes(message);
    return out.finish().toString("base64url");
  }
  /** Payloads, all together. */
  notify(payloads) {
    this.#postgres.exec(payloads.map((payload) => `NOTIFY weft, '${payload}'`).join("; "));
  }
}
