// The limits as docs/PROTOCOL.md tells them; tests/house holds that table to src/wire/limits.h.
import { readFileSync } from "node:fs";
import { table_below } from "../house/tree.mjs";

const markdown = readFileSync(new URL("../../docs/PROTOCOL.md", import.meta.url), "utf8");

/** Name -> value. */
export const limits = Object.fromEntries(table_below(markdown, "Limits")
  .map(([name, value]) => [name.replaceAll("`", ""), Number(value.replaceAll(",", ""))]));
