// kill -9 under typing pages. Every token that a page types is unique; what the server acknowledged is
// recorded outside of server and pages as it happens.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, agreement, count, join_as, launch, live, open, random_of, sleep } from "./harness.mjs";

const kills = Number(process.env.WEFT_E2E_KILLS ?? 50);
let server;
let browser;

before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Tells `acknowledged` of each token as soon as the connection says that it is durable. */
async function watch(page, acknowledged) {
  await page.exposeFunction("tokenAcknowledged", (token) => acknowledged.add(token));
}
function beginWatch(page) {
  return page.evaluate(() => {
    const { connection } = window.weft;
    window.typed = [];
    connection.on("acknowledged", (seq) => {
      while (window.typed.length > 0 && window.typed[0].seq <= seq) {
        void window.tokenAcknowledged(window.typed.shift().token);
      }
    });
  });
}

/** At the start of a random line, so that no token is ever torn by another one. */
async function type(page, token, random) {
  await page.evaluate((f) => {
    const { view } = window.weft;
    const line = view.state.doc.line(1 + Math.floor(f * view.state.doc.lines));
    view.dispatch({ selection: { anchor: line.from } });
    view.focus();
  }, random());
  if (random() < 0.5) {
    await page.keyboard.type(token + "\n");
  } else {
    await page.evaluate((text) => {
      const { view } = window.weft;
      view.dispatch({ ...view.state.replaceSelection(text), userEvent: "input.paste" });
    }, token + "\n");
  }
  await page.evaluate((token) => {
    window.typed.push({ token, seq: window.weft.connection.lastSeq });
  }, token);
}

function assertOnce(text, tokens, what) {
  for (const token of tokens) {
    assert.equal(count(text, token), 1, `${what}: ${token} occurs ${count(text, token)} times`);
  }
}

test(`${kills} times kill -9 while two pages type: nothing acknowledged lost, nothing twice`, async () => {
  const id = await server.create("survive.txt", "");
  const random = random_of("kills");
  const acknowledged = new Set();
  const pages = [await join_as(browser, "Ada", 0xd6477f), await join_as(browser, "Grace", 0x2f80d0)];
  for (const page of pages) {
    await watch(page, acknowledged);
    await open(page, server, id);
    await beginWatch(page);
  }
  const typed = [];
  let going = true;
  const typist = async (page, name) => {
    for (let n = 0; going; ++n) {
      const token = `<${name}-${n}-${Math.floor(random() * 1e6)}>`;
      typed.push(token);
      await type(page, token, random);
    }
  };
  const typing = Promise.all([typist(pages[0], "ada"), typist(pages[1], "grace")]);
  for (let k = 0; k < kills; ++k) {
    await sleep(300 + random() * 1000);
    await server.kill();
    const before = [...acknowledged];
    await sleep(random() * 600);  // both go on typing meanwhile
    await server.up();
    assertOnce(await server.text(id), before, `after kill ${k + 1}`);
    for (const page of pages) await live(page);
  }
  going = false;
  await typing;
  const text = await agreement(server, id, pages);
  console.log(`kills: ${typed.length} tokens typed, ${acknowledged.size} acknowledged`);
  assertOnce(text, typed, "in the end");
  assert.equal(text.split("\n").filter(Boolean).length, typed.length);
  assert.ok(acknowledged.size > kills, "hardly anything was acknowledged");
  for (const page of pages) {
    assert.deepEqual(page.errors, []);
    assert.equal(await page.locator(".notice").count(), 0);
    await page.context().close();
  }
});

/** The failed reload may still be ending, in an error page, when the next navigation begins, and then aborts it. */
async function go_to(page, address) {
  for (let left = 20; ; --left) {
    try {
      return await page.goto(address);
    } catch (error) {
      if (left === 0 || !/ERR_ABORTED|interrupted by another navigation/.test(String(error))) throw error;
      await new Promise((done) => setTimeout(done, 250));
    }
  }
}

test("edits that are not saved survive a reload of the page while the server is down", async () => {
  const id = await server.create("reload.txt", "base\n");
  const page = await join_as(browser, "Ada", 0xd6477f);
  await open(page, server, id);
  await page.keyboard.press("Control+End");
  await page.keyboard.type("saved before");
  await agreement(server, id, [page]);
  await server.kill();
  await page.keyboard.type(" and kept 😀");
  await page.waitForSelector('[data-saved="offline"]');
  assert.match(await page.textContent(".saved"), /Offline · 11 edits kept/);
  const site = await page.evaluate(() => window.weft.connection.site);
  await assert.rejects(page.reload());  // nobody there to serve the page
  await server.up();
  await go_to(page, server.origin);
  await page.getByText("11 unsaved here").click();  // the list knows, and opening sends them
  await live(page);
  const text = await agreement(server, id, [page]);
  assert.equal(text, "base\nsaved before and kept 😀");
  assert.equal(await page.evaluate(() => window.weft.connection.site), site);
  await page.reload();
  await live(page);
  assert.equal(await agreement(server, id, [page]), text);
  await page.context().close();
});

test("the page says what is unsaved, and comes back by itself", async () => {
  const id = await server.create("back.txt", "");
  const page = await join_as(browser, "Ada", 0xd6477f);
  await open(page, server, id);
  await page.waitForSelector('[data-saved="saved"]');
  await server.kill();
  await page.waitForSelector('[data-state="waiting"], [data-state="connecting"]');
  await page.click(".cm-content");
  await page.keyboard.type("abc");
  assert.match(await page.textContent(".saved"), /3 edits kept/);
  await server.up();
  await page.waitForSelector('[data-saved="saved"]', { timeout: 20_000 });
  assert.equal(await server.text(id), "abc");
  await page.context().close();
});
