// The half of SNS that calls: it keeps subscriptions of HTTP and HTTPS addresses, has them confirmed, and
// brings them what is published, signed by an authority of its own whose certificate it gives away.
import { execFileSync } from "node:child_process";
import { createSign, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent as PlainAgent, request as plain_request } from "node:http";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const certificate_file = "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

/** A key, and a certificate that says it is SNS's. */
function make_authority(host) {
  const directory = mkdtempSync(join(tmpdir(), "weft-sns-"));
  try {
    const [key, pem] = ["key.pem", "certificate.pem"].map((name) => join(directory, name));
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", pem,
      "-days", "2", "-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`], { stdio: "pipe" });
    return { key: readFileSync(key, "utf8"), pem: readFileSync(pem, "utf8") };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const signed_names = {
  Notification: ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
  SubscriptionConfirmation: ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
};

export class SnsCaller {
  #host;
  #authority;
  #subscriptions = new Map(); // endpoint -> {arn, token, confirmed}
  #agents = {
    "https:": new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 16 }),
    "http:": new PlainAgent({ keepAlive: true, maxSockets: 16 }),
  };
  /** How many certificates were asked for, ours and others. */
  asked_for_certificates = 0;

  constructor(region) {
    this.#host = `sns.${region}.amazonaws.com`;
  }

  get #keys() {
    return (this.#authority ??= make_authority(this.#host));
  }

  /** The body that SNS would send; `fields` beat what it would say. */
  envelope(fields) {
    const whole = {
      Type: "Notification", MessageId: randomUUID(), Timestamp: new Date().toISOString(), SignatureVersion: "2",
      SigningCertURL: `https://${this.#host}/${certificate_file}`, ...fields,
    };
    const text = signed_names[whole.Type].filter((name) => whole[name] !== undefined)
      .map((name) => `${name}\n${whole[name]}\n`).join("");
    const sign = createSign(whole.SignatureVersion === "1" ? "sha1" : "sha256").update(text);
    return JSON.stringify({ ...whole, Signature: sign.sign(this.#keys.key, "base64") });
  }

  /** The certificate, or undefined: there is but one. */
  certificate(path) {
    this.asked_for_certificates += 1;
    return path === `/${certificate_file}` ? this.#keys.pem : undefined;
  }

  /** What an action of SNS answers that is about HTTP subscriptions; undefined when it is not. */
  action(form) {
    const topic = form.get("TopicArn");
    if (form.get("Action") === "Subscribe" && /^https?$/.test(form.get("Protocol"))) {
      const endpoint = form.get("Endpoint");
      const known = this.#subscriptions.get(endpoint) ??
        { arn: `${topic}:${randomUUID()}`, topic, token: randomUUID().replaceAll("-", ""), confirmed: false };
      this.#subscriptions.set(endpoint, known);
      if (!known.confirmed) void this.#ask_to_confirm(endpoint, known);
      const arn = known.confirmed ? known.arn : "pending confirmation";
      return `<SubscribeResponse><SubscribeResult><SubscriptionArn>${arn}</SubscriptionArn></SubscribeResult></SubscribeResponse>`;
    }
    if (form.get("Action") === "ConfirmSubscription") {
      const known = [...this.#subscriptions.values()].find(({ token }) => token === form.get("Token"));
      if (known === undefined || known.topic !== topic) return "";
      known.confirmed = true;
      return `<ConfirmSubscriptionResponse><ConfirmSubscriptionResult><SubscriptionArn>${known.arn}</SubscriptionArn></ConfirmSubscriptionResult></ConfirmSubscriptionResponse>`;
    }
    return undefined;
  }

  /** Brings the entries of a PublishBatch to whoever is subscribed. */
  publish(form) {
    for (let i = 1; form.has(`PublishBatchRequestEntries.member.${i}.Id`); ++i) {
      const Message = form.get(`PublishBatchRequestEntries.member.${i}.Message`);
      const MessageId = randomUUID();
      for (const [endpoint, { topic, confirmed }] of this.#subscriptions) {
        if (!confirmed || topic !== form.get("TopicArn")) continue;
        const SignatureVersion = i % 2 === 0 ? "1" : "2";
        void this.#bring(endpoint, this.envelope({ TopicArn: topic, Message, MessageId, SignatureVersion }));
      }
    }
  }

  #ask_to_confirm(endpoint, { topic, token }) {
    const SubscribeURL = `https://${this.#host}/?Action=ConfirmSubscription&TopicArn=${topic}&Token=${token}`;
    return this.#bring(endpoint, this.envelope({
      Type: "SubscriptionConfirmation", TopicArn: topic, Token: token, SubscribeURL,
      Message: `You have chosen to subscribe to the topic ${topic}.`,
    }));
  }

  /** As SNS does: what the receiver refuses for good is not brought again, else a few times. */
  async #bring(endpoint, body) {
    for (let attempt = 0; attempt < 4; ++attempt) {
      const status = await this.#post(endpoint, body).catch(() => 0);
      if (status >= 200 && status < 500 && status !== 429) return;
      await sleep(200 * 2 ** attempt);
    }
  }

  #post(endpoint, body) {
    const url = new URL(endpoint);
    const ask = url.protocol === "https:" ? request : plain_request;
    return new Promise((resolve, reject) => {
      const sending = ask(url, {
        method: "POST", agent: this.#agents[url.protocol], timeout: 15_000,
        headers: { "content-type": "text/plain; charset=UTF-8", "content-length": Buffer.byteLength(body) },
      }, (response) => response.resume().on("end", () => resolve(response.statusCode)));
      sending.on("error", reject).on("timeout", () => sending.destroy(new Error("no answer")));
      sending.end(body);
    });
  }
}
