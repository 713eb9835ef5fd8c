// kill -9 of the server while people type, again and again, on one PostgreSQL database.
import { test } from "node:test";
import { Postgres } from "../../support-js/postgres.mjs";
import { PostgresView } from "./database.mjs";
import { killWhileTyping } from "./typing.mjs";

const kills = Number(process.env.WEFT_PG_KILLS ?? 60);

test(`${kills} kills while people type, on PostgreSQL`, { timeout: 600_000 }, async (t) => {
  const postgres = await Postgres.start(t);
  const store = { database: postgres.url() };
  await killWhileTyping(t, { kills, store, view: () => new PostgresView(postgres) });
});
