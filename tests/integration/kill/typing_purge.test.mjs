// kill -9 while people type and erase, and the server purges tombstones that are older than some seconds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshDirectory, runWeft } from "../../support-js/server.mjs";
import { DatabaseCopy } from "./database.mjs";
import { killWhileTyping } from "./typing.mjs";

const kills = Number(process.env.WEFT_PURGE_KILLS ?? 20);
const purges = 3;
const tombstones = 1000;

test(`${kills} kills while people type and tombstones are purged`, { timeout: 600_000 }, async (t) => {
  const data = freshDirectory(t);
  const purged = (copy) => copy.query("SELECT coalesce(sum(len), 0) AS count FROM operations WHERE kind = 4")[0].count;
  const times = (copy) =>
    copy.query("SELECT count(DISTINCT document_id || base) AS count FROM operations WHERE kind = 4")[0].count;
  await killWhileTyping(t, {
    kills,
    // Longer than any writer is away, so that nobody is late.
    store: { data, args: ["--purge-after", "6s"] },
    view: () => new DatabaseCopy(data),
    how: { erasing: true },
    isEnough: (copy) => times(copy) >= purges && purged(copy) >= tombstones,
  });
  const copy = new DatabaseCopy(data);
  t.after(() => copy.remove());
  assert.ok(purged(copy) >= tombstones, "tombstones were purged");
  t.diagnostic(`${purged(copy)} tombstones purged in ${times(copy)} purges`);
  const fsck = await runWeft(["fsck", "--data", data]);
  assert.equal(fsck.code, 0, fsck.stdout + fsck.stderr);
});
