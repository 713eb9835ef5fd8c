// kill -9 while people type, again and again, on one data directory.
import { test } from "node:test";
import { freshDirectory } from "../../support-js/server.mjs";
import { DatabaseCopy } from "./database.mjs";
import { killWhileTyping } from "./typing.mjs";

const kills = Number(process.env.WEFT_KILLS ?? 50);

test(`${kills} kills while people type`, { timeout: 600_000 }, async (t) => {
  const data = freshDirectory(t);
  await killWhileTyping(t, { kills, store: { data }, view: () => new DatabaseCopy(data) });
});
