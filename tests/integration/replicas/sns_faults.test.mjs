// Three servers that wake each other through SNS, with an SQS queue for each or called on over HTTPS, while
// messages are doubled, come late and in another order, are lost by half, and are all lost.
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Typing } from "./cluster.mjs";
import { snsCluster } from "./sns_cluster.mjs";

for (const bus of ["sns", "sns-https"]) {
  for (const [what, faults] of Object.entries({
    "doubles and delays": { doubled: 0.3, late_ms: 300 },
    "loses half": { lost: 0.5, doubled: 0.3, late_ms: 300 },
    "loses everything": { lost: 1 },
  })) {
    test(`${bus} that ${what} changes nothing`, { timeout: 120_000 }, async (t) => {
      const { aws, cluster } = await snsCluster(t, bus);
      const [first] = cluster.servers;
      const typing = new Typing(t, cluster, [await first.create("one"), await first.create("two")], 9);
      await typing.begin();
      await aws.faults(faults);
      await sleep(10_000);
      await aws.faults({ lost: 0, doubled: 0, late_ms: 0 });
      t.diagnostic(`${await typing.endAndCheck(5_000)} edits acknowledged`);
    });
  }
}
