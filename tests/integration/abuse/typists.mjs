// People who type into one document, in a process of their own, so that what the offenders' process does is not taken
// for the server's slowness. `node typists.mjs ORIGIN DOCUMENT TOKEN`; messages: "times" gives the milliseconds that each
// acknowledgement took since the last time; "stop" gives how many characters were typed, and ends it.
import { setTimeout as sleep } from "node:timers/promises";
import { encodePush } from "../../support-js/protocol.mjs";
import { session } from "./offenders.mjs";

const people = 4;
const pause_ms = 20;

let times = [];
let on = true;

async function type({ socket, welcome: { ssn, sid } }) {
  let seq = 0;
  for (; on; await sleep(pause_ms)) {
    const ref = seq === 0 ? { sid: 0, seq: 0 } : { sid, seq };
    ++seq;
    const sent = performance.now();
    socket.ws.send(encodePush(0, [{ kind: "insert", len: 1, ssn, sum: seq, sid, seq, ref, text: "h" }]));
    while ((await socket.next("ack", 20_000)).seq < seq);
    times.push(performance.now() - sent);
  }
  return seq;
}

const [origin, document, token] = process.argv.slice(2);
const sessions = [];
for (let n = 0; n < people; ++n) sessions.push(await session({ origin }, document, token));
const typing = sessions.map(type);
process.on("message", async (what) => {
  if (what === "times") process.send(times.splice(0));
  if (what !== "stop") return;
  on = false;
  const typed = await Promise.all(typing);
  process.send(typed.reduce((sum, each) => sum + each, 0));
  process.disconnect();
  sessions.forEach(({ socket }) => socket.ws.close(1000));
});
process.send("ready");
