// A relay of bytes, as a process of its own, because a listener belongs to the network namespace that
// its process is in: relay.mjs FROM TO [FROM TO ...], each HOST:PORT. Says "at" and where it listens, one
// line for each pair, and ends when its standard input does.
import { connect, createServer } from "node:net";

const at = (address) => {
  const [host, port] = address.split(":");
  return { host, port: Number(port) };
};

const addresses = process.argv.slice(2);
for (let i = 0; i < addresses.length; i += 2) {
  const to = at(addresses[i + 1]);
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = connect({ ...to, noDelay: true, allowHalfOpen: true });
    for (const [one, other] of [[near, far], [far, near]]) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise((listening) => server.listen(at(addresses[i]), listening));
  console.log(`at ${server.address().address}:${server.address().port}`);
}
process.stdin.on("end", () => process.exit(0)).resume();
