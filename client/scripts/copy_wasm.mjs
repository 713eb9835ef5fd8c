// Puts the core next to the compiled package.
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const from = process.env.WEFT_WASM ?? fileURLToPath(new URL("../../build/wasm/weft.wasm", import.meta.url));
if (!existsSync(from)) {
  console.error(`${from} is missing. Build it first: cmake --preset wasm && cmake --build --preset wasm`);
  process.exit(1);
}
mkdirSync(new URL("../dist/", import.meta.url), { recursive: true });
copyFileSync(from, new URL("../dist/weft.wasm", import.meta.url));
