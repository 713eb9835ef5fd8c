// How fast a replica's pushes go out on one socket. Pushes beyond the limits wait for acknowledgements,
// and edits gather in fewer, larger ones meanwhile.
import type { Socket } from "./ports.js";
import { encodePush } from "./protocol.js";
import type { Replica } from "./replica.js";

const maxPushesInFlight = 64;
const maxBacklogBytes = 1 << 20;

export class PushFlow {
  #sentSeq = 0;

  /** Last own seq that was sent. */
  get sentSeq(): number {
    return this.#sentSeq;
  }

  flush(replica: Replica, socket: Socket): void {
    const room = () => inFlight < maxPushesInFlight && socket.backlog < maxBacklogBytes;
    let inFlight = replica.pending.filter((push) => push.lastSeq <= this.#sentSeq).length;
    if (room()) replica.seal();
    for (const push of replica.pending.slice(inFlight)) {
      if (!room()) return;
      ++inFlight;
      this.#sentSeq = push.lastSeq;
      socket.send(encodePush(push.base, push.bytes));
    }
  }
}
