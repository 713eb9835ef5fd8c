// Types into an empty document over one socket, a character an operation, without waiting.
import { encodePush } from "./protocol.mjs";

export class Typist {
  #seq = 0;

  constructor(socket, welcome) {
    this.socket = socket;
    this.welcome = welcome;
  }

  /** One push for each character. All are made on the document's beginning and the typist's own text. */
  type(text) {
    const { ssn, sid } = this.welcome;
    for (const character of text) {
      const seq = ++this.#seq;
      const ref = seq === 1 ? { sid: 0, seq: 0 } : { sid, seq: seq - 1 };
      this.socket.ws.send(
        encodePush(0, [{ kind: "insert", len: 1, ssn, sum: seq, sid, seq, ref, text: character }]),
      );
    }
  }

  /** Until everything that was typed is acknowledged. */
  async acknowledged() {
    let ack = { seq: 0 };
    while (ack.seq < this.#seq) ack = await this.socket.next("ack");
  }
}
