// Servers that wake each other through SNS: each with an SQS queue of its own, or called on over HTTPS.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Aws } from "../../support-js/aws.mjs";
import { Postgres } from "../../support-js/postgres.mjs";
import { Cluster, counter } from "./cluster.mjs";
import { TlsDoor } from "./tls_door.mjs";

/** Started, and all of them hear. */
export async function snsCluster(t, bus, { count = 3 } = {}) {
  const aws = await Aws.start(t);
  const doors = [];
  if (bus === "sns-https") {
    for (let i = 0; i < count; ++i) doors.push(await TlsDoor.open(t));
  }
  const env = (i) => (doors[i] ? { ...aws.env, SNS_ENDPOINT: doors[i].url } : aws.env);
  const cluster = await Cluster.start(t, await Postgres.start(t), { env, count });
  doors.forEach((door, i) => door.lead(cluster.servers[i].port));
  for (const server of cluster.servers) {
    for (const deadline = Date.now() + 40_000; (await counter(server, "weft_bus_connected")) !== 1; await sleep(50)) {
      assert.ok(Date.now() < deadline, `it hears: ${server.stderr}`);
    }
  }
  return { aws, cluster };
}
