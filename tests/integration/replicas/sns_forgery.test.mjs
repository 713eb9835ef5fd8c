// What strangers send to /sns. Nothing of it is taken, and the server asks nobody whom it names.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { limits } from "../../support-js/limits.mjs";
import { assertProblem, Server } from "../../support-js/server.mjs";
import { Aws } from "../../support-js/aws.mjs";
import { counter } from "./cluster.mjs";
import { snsCluster } from "./sns_cluster.mjs";

/** A port at which nobody should call; how many did. */
async function trap(t) {
  const trap = { calls: 0 };
  const server = createServer((socket) => {
    trap.calls += 1;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  trap.host = `127.0.0.1:${server.address().port}`;
  return trap;
}

const post = (server, body) =>
  server.fetch("/sns", { method: "POST", body, headers: { "content-type": "text/plain; charset=UTF-8" } });

/** [what, body, status] of what must be refused. */
async function forgeries(aws, { host }) {
  const real = { Message: "AQ", Timestamp: new Date().toISOString() };
  const made = async (fields) => JSON.parse(await aws.envelope({ ...real, ...fields }));
  const sound = await made();
  const confirmation = await made({ Type: "SubscriptionConfirmation", Token: randomUUID(), SubscribeURL: `http://${host}/` });
  const cases = [];
  const add = (what, fields, ...statuses) => cases.push([what, JSON.stringify(fields), statuses]);

  // Changed after it was signed.
  for (const envelope of [sound, confirmation]) {
    for (const name of Object.keys(envelope)) {
      const value = envelope[name];
      add(`${envelope.Type}: ${name} longer`, { ...envelope, [name]: `${value}x` }, 400, 403);
      add(`${envelope.Type}: ${name} empty`, { ...envelope, [name]: "" }, 400, 403);
      add(`${envelope.Type}: ${name} is a number`, { ...envelope, [name]: 7 }, 400);
      add(`${envelope.Type}: no ${name}`, { ...envelope, [name]: undefined }, 400);
    }
  }
  const other = (text) => text.replace(/[0-9a-f]/, (digit) => (digit === "0" ? "1" : "0"));
  add("another id", { ...sound, MessageId: other(sound.MessageId) }, 403);
  add("another message", { ...sound, Message: "AAAA" }, 403);
  add("a subject", { ...sound, Subject: "hello" }, 403);
  add("another version", { ...sound, SignatureVersion: "1" }, 403);
  add("version 3", { ...sound, SignatureVersion: "3" }, 400);
  add("a notification as a confirmation", { ...sound, Type: "SubscriptionConfirmation", Token: "t", SubscribeURL: `http://${host}/` }, 403);
  add("a confirmation as a notification", { ...confirmation, Type: "Notification" }, 403);
  add("another token", { ...confirmation, Token: randomUUID() }, 403);
  add("another address to confirm at", { ...confirmation, SubscribeURL: `http://${host}/confirm` }, 403);

  // Signed, but of another topic, time or kind.
  add("another topic", await made({ TopicArn: "arn:aws:sns:eu-central-1:000000000000:other" }), 403);
  add("another account", await made({ TopicArn: "arn:aws:sns:eu-central-1:111111111111:weft" }), 403);
  add("another region", await made({ TopicArn: "arn:aws:sns:us-east-1:000000000000:weft" }), 403);
  const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
  for (const minutes of [-1_000_000, -1_440, -61]) add(`${-minutes} minutes old`, await made({ Timestamp: at(minutes) }), 403);
  for (const minutes of [6, 60, 1_000_000]) add(`${minutes} minutes early`, await made({ Timestamp: at(minutes) }), 403);
  add("from before the server started", await made({ Timestamp: at(-30) }), 409);

  // Certificates from elsewhere.
  for (const url of [
    `https://${host}/SimpleNotificationService-0123abcd.pem`,
    `http://${host}/SimpleNotificationService-0123abcd.pem`,
    `https://sns.eu-central-1.amazonaws.com@${host}/SimpleNotificationService-0123abcd.pem`,
    `https://sns.eu-central-1.amazonaws.com.${host}/SimpleNotificationService-0123abcd.pem`,
    `https://${host}/https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123abcd.pem`,
    "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem",
    "https://sns.eu-central-1.amazonaws.com:443/SimpleNotificationService-0123abcd.pem",
    "https://sns.eu-central-1.amazonaws.com/../SimpleNotificationService-0123abcd.pem",
    "https://sns.eu-central-1.amazonaws.com/a/SimpleNotificationService-0123abcd.pem",
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123abcd.pem?x=.pem",
    "https://sns.eu-central-1.amazonaws.com/evil.pem",
    "https://amazonaws.com/SimpleNotificationService-0123abcd.pem",
    "file:///etc/ssl/certs/ca-certificates.crt",
  ]) add(`a certificate at ${url}`, await made({ SigningCertURL: url }), 403);
  return cases;
}

test("forged messages of SNS are refused, and nobody is asked", { timeout: 120_000 }, async (t) => {
  const { aws, cluster: { servers: [server] } } = await snsCluster(t, "sns-https", { count: 1 });
  const bait = await trap(t);
  assert.equal((await post(server, await aws.envelope({ Message: "AQ" }))).status, 204, "a sound one is taken");
  const before = await aws.calls();
  const heard = await counter(server, "weft_bus_heard_total");
  const cases = await forgeries(aws, bait);
  assert.ok(cases.length >= 60, `${cases.length} forgeries`);
  for (const [what, body, statuses] of cases) {
    const response = await post(server, body);
    assert.ok(statuses.includes(response.status), `${what}: ${response.status} ${await response.text()}`);
  }
  assert.equal(bait.calls, 0, "nobody whom a forgery names was asked");
  assert.deepEqual(await aws.calls(), before, "nor SNS");
  assert.equal(await counter(server, "weft_bus_heard_total"), heard);
  t.diagnostic(`${cases.length} forgeries refused`);
});

test("a longer body than SNS has is not read", { timeout: 60_000 }, async (t) => {
  const { cluster: { servers: [server] } } = await snsCluster(t, "sns-https", { count: 1 });
  const read = await post(server, " ".repeat(limits.max_sns_body_bytes));
  assert.deepEqual([read.status, (await read.json()).code], [400, "bad_sns_message"]);
  await assertProblem(await post(server, " ".repeat(limits.max_sns_body_bytes + 1)), 413, "body_too_large");
});

test("what came before is refused, also its doubles at once", { timeout: 60_000 }, async (t) => {
  const { aws, cluster: { servers: [server] } } = await snsCluster(t, "sns-https", { count: 1 });
  for (let i = 0; i < 20; ++i) {
    const body = await aws.envelope({ Message: "AQ", SignatureVersion: String(1 + (i % 2)) });
    const statuses = await Promise.all(Array.from({ length: 4 }, async () => (await post(server, body)).status));
    assert.deepEqual(statuses.sort(), [204, 409, 409, 409]);
    assert.equal((await (await post(server, body)).json()).code, "sns_message_repeated");
  }
});

test("unknown certificates of SNS are asked for a few times only", { timeout: 60_000 }, async (t) => {
  const { aws, cluster: { servers: [server] } } = await snsCluster(t, "sns-https", { count: 1 });
  const { certificates } = await aws.calls();
  for (let i = 0; i < 30; ++i) {
    const SigningCertURL = `https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-${i}.pem`;
    const { status } = await post(server, await aws.envelope({ Message: "AQ", SigningCertURL }));
    assert.ok(status === 403 || status === 503, `${status}`);
  }
  assert.ok((await aws.calls()).certificates - certificates <= 5);
  assert.equal((await post(server, await aws.envelope({ Message: "AQ" }))).status, 204, "known ones go on");
});

test("without that bus there is nothing at /sns", { timeout: 60_000 }, async (t) => {
  const aws = await Aws.start(t);
  const server = await Server.start(t);
  const response = await post(server, await aws.envelope({ Message: "AQ" }));
  assert.equal(response.status, 404);
  assert.equal((await response.json()).code, "no_sns_endpoint");
});
