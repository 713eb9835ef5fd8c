// Sends requests over one kept-alive connection and gives what came back.
import { Agent, request } from "node:http";

export class Caller {
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  constructor(server) {
    this.server = server;
  }

  close() {
    this.#agent.destroy();
  }

  /** {status, type, etag, body}; an error when no answer came in time. */
  send({ method, path, headers, body }, token) {
    return new Promise((resolve, reject) => {
      const asked = request({
        host: "127.0.0.1", port: this.server.port, method, path, agent: this.#agent,
        headers: {
          ...headers, ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Length": body.length }),
        },
      });
      const timer = setTimeout(() => asked.destroy(new Error("no answer in 10 s")), 10_000);
      let answered = false;
      const done = (settle, value) => {
        clearTimeout(timer);
        answered = true;
        settle(value);
      };
      asked.on("error", (error) => answered || done(reject, error));
      asked.on("response", (response) => {
        const { "content-type": type = "", etag } = response.headers;
        const result = (text) => ({ status: response.statusCode, type, etag, body: text });
        if (type.startsWith("text/event-stream")) {  // it does not end by itself
          done(resolve, result(""));
          asked.destroy();
          return;
        }
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () => done(resolve, result(Buffer.concat(parts).toString())));
        response.on("error", (error) => answered || done(reject, error));
      });
      asked.end(body);
    });
  }
}
