// Two people in one document, each in a browser on a server of its own; the servers share a PostgreSQL.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Postgres } from "../support-js/postgres.mjs";
import { Server, agreement, join_as, launch, live, open, random_of, saved } from "./harness.mjs";

const seconds = Number(process.env.WEFT_E2E_SECONDS ?? 30) / 3;
const cleanups = [];
let servers;
let browser;

before(async () => {
  const postgres = await Postgres.start({ after: (clean) => cleanups.push(clean) });
  servers = [];
  for (const replica of ["a", "b"]) servers.push(await Server.start({ database: postgres.url(), replica }));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  for (const server of servers) await server.stop();
  for (const clean of cleanups.reverse()) await clean();
});

/** Until all pages and both servers have the same text. */
async function agreed(id, pages) {
  const text = await agreement(servers[0], id, pages);
  assert.equal(await agreement(servers[1], id, pages), text);
  return text;
}

test(`pages on two servers edit one text together for ${seconds} s, also while one server is killed`, async () => {
  const id = await servers[0].create("shared.md", "# Shared\n");
  const [ada, grace] = [await join_as(browser, "Ada", 0xd6477f), await join_as(browser, "Grace", 0x2f80d0)];
  await open(ada, servers[0], id);
  await open(grace, servers[1], id);

  await ada.keyboard.type("mine ");
  await saved(ada);
  await grace.waitForFunction(() => window.weft.view.state.doc.toString().includes("mine "));
  await grace.keyboard.type("theirs ");
  await grace.waitForSelector(".weft-caret");
  await ada.waitForSelector(".weft-caret");
  assert.equal(await grace.textContent(".weft-caret-name"), "Ada");
  assert.equal(await ada.textContent(".weft-caret-name"), "Grace");

  const random = random_of("two servers");
  const typed = [0, 0];
  const type = async (page, who, until) => {
    while (Date.now() < until) {
      await page.keyboard.press(["Home", "End", "ArrowLeft", "ArrowUp"][Math.floor(random() * 4)]);
      await page.keyboard.type(`[${who}${typed[who]++}]`);
      if (random() < 0.2) await page.keyboard.press("Enter");
    }
  };
  const end = Date.now() + seconds * 1000;
  await Promise.all([type(ada, 0, end), type(grace, 1, end)]);
  await agreed(id, [ada, grace]);

  // Ada's server dies; both type on, and hers is sent when it is back.
  await servers[0].kill();
  const later = Date.now() + 2_000;
  await Promise.all([type(ada, 0, later), type(grace, 1, later)]);
  await servers[0].up();
  await live(ada);
  await saved(ada);
  const text = await agreed(id, [ada, grace]);
  for (const count of typed) assert.ok(count > seconds, "hardly anything was typed");
  // One's letters may have come to stand between the other's; but each is there once.
  assert.equal(text.split("[").length - 1, typed[0] + typed[1]);
  console.log(`two servers: ${typed.join(" and ")} words, ${text.length} code units in the end`);
  for (const page of [ada, grace]) {
    assert.deepEqual(page.errors, []);
    await page.context().close();
  }
});
