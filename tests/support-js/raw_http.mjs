// HTTP as bytes, for requests that no well-behaved client would send.
import { once } from "node:events";
import { connect } from "node:net";

/** Sends `bytes` (strings are Latin-1) and reads until the server closes or `timeoutMs` pass. */
export async function exchange(port, bytes, { timeoutMs = 5_000, end = false } = {}) {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let answer = "";
  socket.setEncoding("latin1");
  socket.on("data", (text) => (answer += text));
  socket.on("error", () => {});
  for (const part of Array.isArray(bytes) ? bytes : [bytes]) {
    socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
  }
  if (end) socket.end();
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  await once(socket, "close");
  clearTimeout(timer);
  return answer;
}

/** Status codes of the answers in a stream of them, in order. */
export function statuses(answer) {
  return [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map((match) => Number(match[1]));
}
