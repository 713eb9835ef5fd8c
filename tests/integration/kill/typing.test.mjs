// kill -9 while people type, again and again, on one data directory.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshDirectory, runWeft } from "../../support-js/server.mjs";
import { DatabaseCopy } from "./database.mjs";
import { killWhileTyping } from "./typing.mjs";

// Many short lives of a data directory, and not one long one: what a kill costs to judge grows with
// the log. With the twenty of typing_purge.test.mjs that is 300.
const lives = Number(process.env.WEFT_KILL_LIVES ?? 7);
const kills = Number(process.env.WEFT_KILLS ?? 40);  // of each

for (let life = 1; life <= lives; ++life) {
  test(`${kills} kills while people type, directory ${life}`, { timeout: 600_000 }, async (t) => {
    const data = freshDirectory(t);
    await killWhileTyping(t, { kills, store: { data }, view: () => new DatabaseCopy(data), life });
    const fsck = await runWeft(["fsck", "--data", data]);
    assert.equal(fsck.code, 0, fsck.stdout + fsck.stderr);
  });
}
