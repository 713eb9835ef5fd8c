// Three servers that wake each other through SNS, with an SQS queue for each or called on over HTTPS, on a
// good day. Bad ones: sns_faults.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { runWeft } from "../../support-js/server.mjs";
import { Typing, counter, keystroke } from "./cluster.mjs";
import { snsCluster } from "./sns_cluster.mjs";

const seconds = Number(process.env.WEFT_REPLICA_SECONDS ?? 60);

for (const bus of ["sns", "sns-https"]) {
  test(`thirty typists on three servers for ${seconds} s over ${bus}`, { timeout: 240_000 }, async (t) => {
    const { aws, cluster } = await snsCluster(t, bus);
    const [first] = cluster.servers;
    const ids = [await first.create("one"), await first.create("two"), await first.create("three")];
    const typing = new Typing(t, cluster, ids, 10);
    await typing.begin();
    await Promise.all([sleep(seconds * 1000), keystroke(t, cluster.servers, 100, "while they type, ")]);
    const acknowledged = await typing.endAndCheck();
    for (const server of cluster.servers) {
      assert.ok((await counter(server, "weft_rows_followed_total")) > 0);
      assert.equal(await counter(server, 'weft_bus_dropped_total{reason="rejected"}'), 0);
    }
    const calls = await aws.calls();
    assert.ok(calls.PublishBatch > 0 && calls.PublishBatch < acknowledged, "it went over SNS, in batches");
    if (bus === "sns") {
      assert.ok(calls.DeleteMessageBatch > 0, "and over SQS");
    } else {
      assert.equal(calls.ConfirmSubscription, 3);
      assert.equal(calls.ReceiveMessage, undefined, "and no queue was asked");
      assert.equal(calls.certificates, 3, "each asked once for the certificate");
    }
    t.diagnostic(`${acknowledged} edits acknowledged, ${calls.PublishBatch} batches published`);
  });

  test(`a keystroke over ${bus}, beside one on the same server`, { timeout: 60_000 }, async (t) => {
    const { cluster } = await snsCluster(t, bus, { count: 2 });
    const { other } = await keystroke(t, cluster.servers, 100);
    assert.ok(other[0] < 700, "the bus was quicker than asking the database");
  });
}

test("a topic or an endpoint that is none is refused", async () => {
  const check = (env) => runWeft(["config", "check", "--database-url", "postgresql://u@127.0.0.1:1/d"], { env });
  const topic = "arn:aws:sns:eu-central-1:1:weft";
  for (const env of [
    { SNS_TOPIC: "weft" },
    { SNS_TOPIC: "arn:aws:sqs:eu-central-1:1:weft" },
    { SNS_TOPIC: `${topic}.fifo` },
    { SNS_TOPIC: topic, AWS_REGION: "us-east-1" },
    { SNS_TOPIC: topic, SNS_ENDPOINT: "weft.example.org/sns" },
    { SNS_TOPIC: topic, SNS_ENDPOINT: "https://weft.example.org/" },
    { SNS_TOPIC: topic, SNS_ENDPOINT: "https:///sns" },
    { SNS_TOPIC: topic, SNS_ENDPOINT: "file:///sns" },
  ]) {
    const { code, stderr } = await check(env);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /SNS_TOPIC|AWS_REGION|SNS_ENDPOINT/);
  }
  assert.equal((await check({ SNS_TOPIC: topic })).code, 0);
  assert.equal((await check({ SNS_TOPIC: topic, SNS_ENDPOINT: "https://weft.example.org/sns" })).code, 0);
});
