// Two people in one document, as they really type.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, agreement, count, join_as, launch, live, open, random_of, saved, shown, sleep } from "./harness.mjs";

const seconds = Number(process.env.WEFT_E2E_SECONDS ?? 30);
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

async function two(title, content) {
  const id = await server.create(title, content);
  const pages = [await join_as(browser, "Ada", 0xd6477f), await join_as(browser, "Grace", 0x2f80d0)];
  for (const page of pages) await open(page, server, id);
  return { id, pages };
}

async function leave(pages) {
  for (const page of pages) {
    assert.deepEqual(page.errors, []);
    await page.context().close();
  }
}

function paste(page, text) {
  return page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    window.weft.view.contentDOM.dispatchEvent(event);
  }, text);
}

function place(page, fractions) {
  return page.evaluate((fractions) => {
    const { view } = window.weft;
    const text = view.state.doc.toString();
    const at = fractions.map((f) => {
      const here = Math.min(text.length, Math.floor(f * (text.length + 1)));
      return (text.charCodeAt(here) & 0xfc00) === 0xdc00 ? here - 1 : here;
    });
    const Selection = view.state.selection.constructor;
    const ranges = at.map((here) => Selection.cursor(here));
    view.dispatch({ selection: Selection.create(ranges, 0) });
    view.focus();
  }, fractions);
}

const acts = [
  (page, random) => page.keyboard.type(`word${Math.floor(random() * 1000)} `),
  (page) => page.keyboard.type("if (a) {\nb;\n"),
  (page) => page.keyboard.insertText("😀👩‍👩‍👧 漢字 é "),
  (page) => paste(page, "one\r\ntwo\rthree\r\n"),
  (page) => page.keyboard.press("Control+z"),
  (page) => page.keyboard.press("Control+z"),
  (page) => page.keyboard.press("Control+y"),
  (page) => page.keyboard.press("Backspace"),
  (page) => page.keyboard.press("Control+Backspace"),
  (page) => page.keyboard.press("Delete"),
  (page, random) => place(page, [random()]),
  (page) => place(page, [0]),  // both like this place
  (page) => place(page, [0.5]),
  async (page, random) => {
    await place(page, [random(), random(), random()]);
    await page.keyboard.type("multi");
  },
  async (page) => {
    await page.keyboard.press("Shift+ArrowUp");
    await page.keyboard.type("over");
  },
  (page) => page.keyboard.press("Alt+ArrowUp"),
];

test(`two pages type at the same and at different places for ${seconds} s`, async () => {
  const { id, pages } = await two("main.cpp", "int main() {\n  return 0;\n}\n");
  const random = random_of("typing");
  const end = Date.now() + seconds * 1000;
  let done = 0;
  const typist = async (page) => {
    await place(page, [1]);
    while (Date.now() < end) {
      await acts[Math.floor(random() * acts.length)](page, random);
      ++done;
    }
  };
  await Promise.all(pages.map(typist));
  const text = await agreement(server, id, pages);
  console.log(`typing: ${done} acts, ${text.length} code units in the end`);
  assert.ok(done > seconds, "hardly anything was typed");
  assert.ok(!text.includes("\r"), "a CR reached the document");
  for (const [i, page] of pages.entries()) {
    await place(page, [i]);
    await page.keyboard.type(`done${i}`);
  }
  const last = await agreement(server, id, pages);
  assert.ok(last.includes("done0") && last.includes("done1"), last);
  const hashes = await Promise.all(
    pages.map((page) => page.evaluate(() => window.weft.connection.document.stateHash().toString(16))),
  );
  assert.equal(hashes[0], hashes[1]);
  await leave(pages);
});

test("each sees the other's caret with its name, and undo takes back only own text", async () => {
  const { id, pages } = await two("notes.md", "");
  const [ada, grace] = pages;
  await ada.keyboard.type("mine ");
  await saved(ada);
  await grace.waitForFunction(() => window.weft.view.state.doc.toString() === "mine ");
  await place(grace, [0]);
  await grace.keyboard.type("theirs ");
  await agreement(server, id, pages);
  await grace.waitForSelector(".weft-caret");
  assert.equal(await grace.textContent(".weft-caret-name"), "Ada");
  assert.equal(await ada.textContent(".weft-caret-name"), "Grace");
  assert.equal(await ada.locator(".faces .face").count(), 1);
  await ada.keyboard.press("Control+z");
  assert.equal(await agreement(server, id, pages), "theirs ");
  await ada.keyboard.press("Control+y");
  assert.equal(await agreement(server, id, pages), "theirs mine ");
  await grace.evaluate(() => window.weft.view.dispatch({ selection: { anchor: 0, head: 6 } }));
  await ada.waitForSelector(".weft-selection");
  await grace.context().close();
  await ada.waitForFunction(() => document.querySelector(".weft-caret") === null);
  await leave([ada]);
});

test("a duplicated tab is a client of its own", async () => {
  const id = await server.create("twice.txt", "");
  const page = await join_as(browser, "Ada", 0xd6477f);
  await open(page, server, id);
  const [copy] = await Promise.all([
    page.context().waitForEvent("page"),
    page.evaluate(() => void window.open(location.href)),  // starts with a copy of sessionStorage
  ]);
  await live(copy);
  const who = (p) =>
    p.evaluate(() => ({ client: window.weft.connection.client, site: window.weft.connection.site }));
  const [first, second] = [await who(page), await who(copy)];
  assert.notEqual(first.client, second.client);
  assert.notEqual(first.site, second.site);
  await page.bringToFront();
  await page.click(".cm-content");
  await page.keyboard.type("one ");
  await copy.bringToFront();
  await copy.click(".cm-content");
  await copy.keyboard.type("two ");
  const text = await agreement(server, id, [page, copy]);
  assert.deepEqual([count(text, "one"), count(text, "two")], [1, 1]);
  await leave([page]);
});

test("the list: create, open, find again, delete with a question", async () => {
  const page = await join_as(browser, "Ada", 0xd6477f);
  await page.goto(server.origin);
  await page.fill("#title", "fresh.py");
  await page.press("#title", "Enter");
  await page.waitForURL(/\/d\//);
  await live(page);
  await page.keyboard.type("print('hello')");
  await saved(page);
  await page.waitForSelector('[data-saved="saved"]');
  assert.equal(await page.textContent(".name h1"), "fresh.py");
  await page.click(".home");
  const row = page.locator(".document", { hasText: "fresh.py" });
  await row.waitFor();
  await row.hover();
  await row.getByRole("button", { name: "Delete fresh.py" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await row.count(), 1);
  await row.hover();
  await row.getByRole("button", { name: "Delete fresh.py" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await row.waitFor({ state: "detached" });
  await page.reload();
  await page.waitForSelector(".documents");
  await sleep(200);
  assert.equal(await row.count(), 0);
  await leave([page]);
});

test("a document that is deleted under an open page says so and keeps the text in view", async () => {
  const { id, pages } = await two("gone.txt", "still here");
  const answer = await fetch(`${server.origin}/api/v1/documents/${id}`, { method: "DELETE" });
  assert.ok(answer.ok);
  await pages[0].waitForSelector(".notice.bad");
  assert.equal(await shown(pages[0]), "still here");
  await pages[0].keyboard.type("x");
  assert.equal(await shown(pages[0]), "still here");
  await leave(pages);
});
