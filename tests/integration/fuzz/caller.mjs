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

  /**
   * {status, reason, headers, body}; an error when no answer came in time. `headers` are pairs, and one name may come twice;
   * `chunked`: the body's length is not said before.
   */
  send({ method, path, headers = [], body, chunked = false }, token) {
    const sent = [...headers];
    const has = (wanted) => sent.some(([name]) => name.toLowerCase() === wanted);
    if (!has("host")) sent.unshift(["Host", `127.0.0.1:${this.server.port}`]);
    if (token && !has("authorization")) sent.push(["Authorization", `Bearer ${token}`]);
    if (chunked && body) sent.push(["Transfer-Encoding", "chunked"]);
    else if (body || /^P/.test(method)) sent.push(["Content-Length", String(body?.length ?? 0)]);
    return new Promise((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port: this.server.port, method, path, agent: this.#agent, headers: sent });
      const timer = setTimeout(() => asked.destroy(new Error("no answer in 10 s")), 10_000);
      let answered = false;
      const done = (settle, value) => {
        clearTimeout(timer);
        answered = true;
        settle(value);
      };
      asked.on("error", (error) => answered || done(reject, error));
      asked.on("upgrade", ({ statusCode: status, statusMessage: reason, headers: told }, socket) => {
        socket.destroy();
        done(resolve, { status, reason, headers: told, body: "" });
      });
      asked.on("response", (response) => {
        const result = (text) => ({
          status: response.statusCode, reason: response.statusMessage, headers: response.headers, body: text,
        });
        if (response.headers["content-type"]?.startsWith("text/event-stream") && method !== "HEAD") {  // it does not end by itself
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
