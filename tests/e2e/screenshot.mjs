// node screenshot.mjs [FILE]: the picture in README, docs/screenshot.png: one page, two people at work.
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Server, agreement, join_as, launch, open } from "./harness.mjs";

const file = process.argv[2] ?? fileURLToPath(new URL("../../docs/screenshot.png", import.meta.url));
const maxBytes = 300_000;

const code = `#include <iostream>
#include <map>
#include <string>

/// How often each word of a text occurs.
std::map<std::string, int> count_words(std::istream& in) {
  std::map<std::string, int> counts;
  for (std::string word; in >> word;) ++counts[word];
  return counts;
}

int main() {
  for (const auto& [word, times] : count_words(std::cin)) {
    std::cout << times << '\\t' << word << '\\n';
  }
  return 0;
}
`;

const server = await Server.start();
const browser = await launch();
try {
  const id = await server.create("words.cpp", code);
  const view = { viewport: { width: 1120, height: 640 }, deviceScaleFactor: 1.5, colorScheme: "light" };
  const me = await join_as(browser, "Mia Berg", 0x1f9e8f, view);
  const others = [
    await join_as(browser, "Ada", 0xd6477f, view),
    await join_as(browser, "Grace", 0x2f80d0, view),
  ];
  for (const page of [me, ...others]) await open(page, server, id);
  const select = (page, from, to = from) =>
    page.evaluate(
      ([from, to]) => {
        const text = window.weft.view.state.doc.toString();
        // "a|" is the gap after the first a, "|a" the one before it.
        const at = (mark) =>
          mark.startsWith("|")
            ? text.indexOf(mark.slice(1))
            : text.indexOf(mark.slice(0, -1)) + mark.length - 1;
        window.weft.view.dispatch({ selection: { anchor: at(from), head: at(to) } });
      },
      [from, to],
    );
  await select(me, "return counts;|");
  await select(others[0], "++counts|");
  await select(others[1], "|times << '", "<< word << '\\n'|");
  await agreement(server, id, [me, ...others]);
  await me.waitForFunction(() => document.querySelectorAll(".weft-caret").length === 2);
  await me.waitForSelector('[data-saved="saved"]');
  await me.waitForTimeout(400);
  mkdirSync(dirname(file), { recursive: true });
  await me.screenshot({ path: file });
  const { size } = statSync(file);
  if (size > maxBytes) throw new Error(`${file}: ${size} bytes, more than ${maxBytes}`);
  console.log(`${file}: ${size} bytes`);
} finally {
  await browser.close();
  await server.stop();
}
