// node check_module.mjs FILE: fails when the module imports anything, or has grown past its budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const max_gzip_bytes = 60_000;

const bytes = readFileSync(process.argv[2]);
const imports = WebAssembly.Module.imports(await WebAssembly.compile(bytes));
if (imports.length > 0) {
  console.error("weft.wasm must not import anything, but it imports:", imports);
  process.exit(1);
}
const gzip_bytes = gzipSync(bytes, { level: 9 }).length;
if (gzip_bytes > max_gzip_bytes) {
  console.error(`weft.wasm: ${gzip_bytes} bytes gzipped, the budget is ${max_gzip_bytes}`);
  process.exit(1);
}
console.log(`weft.wasm: ${bytes.length} bytes, ${gzip_bytes} gzipped, no imports`);
