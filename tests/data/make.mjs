// How the histories in this folder were made: node tests/data/make.mjs
import { writeFileSync } from "node:fs";
import { concurrentHistory, sequentialHistory, toGzip, toJson } from "../integration/replay/histories.mjs";

const put = (name, bytes) => writeFileSync(new URL(name, import.meta.url), bytes);
put("one_author.json", toJson(sequentialHistory(2024, { start: "// 😀\r\n", transactions: 150 })));
put("two_authors.json.gz", toGzip(concurrentHistory(2025, { authors: 2, transactions: 1200 })));
put("four_authors.json.gz",
  toGzip(concurrentHistory(2026, { authors: 4, transactions: 1200, learn: "all" })));
