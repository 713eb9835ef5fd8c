// What stands before a server that SNS calls on: takes TLS away and passes on.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createServer } from "node:tls";
import { makeCertificate } from "../../support-js/certificate.mjs";
import { freshDirectory } from "../../support-js/server.mjs";

export class TlsDoor {
  /** To be called with the port behind it. Until then whoever comes waits. */
  lead;
  #target = new Promise((resolve) => (this.lead = resolve));

  static async open(t) {
    const door = new TlsDoor();
    const files = makeCertificate(freshDirectory(t));
    const server = createServer({ key: readFileSync(files.key), cert: files.ca }, async (outside) => {
      outside.on("error", () => {});
      const inside = connect(await door.#target, "127.0.0.1");
      for (const [one, other] of [[outside, inside], [inside, outside]]) {
        one.pipe(other);
        one.on("error", () => other.destroy()).on("close", () => other.destroy());
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    server.unref();
    door.url = `https://127.0.0.1:${server.address().port}/sns`;
    return door;
  }
}
