// npm run build: the page into build/web (WEFT_WEB_OUT overrides): index.html, assets with hashed names,
// and a .gz beside everything that shrinks. The client package is taken from its sources, so that there
// is one copy of CodeMirror and nothing else has to be built first but the core (preset `wasm`).
import { build } from "esbuild";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { openapi } from "./openapi/index.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.env.WEFT_WEB_OUT ?? join(here, "../build/web"));
const wasm = resolve(process.env.WEFT_WASM ?? join(here, "../build/wasm/weft.wasm"));
if (!existsSync(wasm)) {
  console.error(`${wasm} is missing. Build it first: cmake --preset wasm && cmake --build --preset wasm`);
  process.exit(1);
}
rmSync(join(out, "assets"), { recursive: true, force: true });

const shared = {
  absWorkingDir: here,
  outdir: out,
  entryNames: "assets/[name]-[hash]",
  chunkNames: "assets/[name]-[hash]",
  assetNames: "assets/[name]-[hash]",
  publicPath: "/",
  bundle: true,
  target: ["es2022", "chrome100", "firefox100", "safari15.4"],
  minify: true,
  metafile: true,
  loader: { ".wasm": "file", ".woff2": "file", ".svg": "copy" },
  logLevel: "warning",
};
const page = await build({
  ...shared,
  entryPoints: { app: "src/main.ts", style: "styles/main.css", icon: "icon.svg" },
  splitting: true,
  format: "esm",
  alias: {
    "@weft/client": join(here, "../client/src/index.ts"),
    "@weft/client/codemirror": join(here, "../client/src/codemirror.ts"),
    "@codemirror/state": join(here, "node_modules/@codemirror/state"),
    "@codemirror/view": join(here, "node_modules/@codemirror/view"),
    "weft.wasm": wasm,
  },
});
// A classic script of its own: it has to run before anything is painted.
const boot = await build({ ...shared, entryPoints: { boot: "src/boot.ts" }, format: "iife" });

const outputs = Object.entries({ ...page.metafile.outputs, ...boot.metafile.outputs });
const urlOf = (entry) => {
  const [path] = outputs.find(([, o]) => o.entryPoint === entry);
  return "/" + relative(out, join(here, path));
};
const html = readFileSync(join(here, "index.html"), "utf8")
  .replace("{{style}}", urlOf("styles/main.css"))
  .replace("{{icon}}", urlOf("icon.svg"))
  .replace("{{boot}}", urlOf("src/boot.ts"))
  .replace("{{app}}", urlOf("src/main.ts"));
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "index.html"), html);
const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
writeFileSync(join(out, "openapi.json"), JSON.stringify(openapi(version)));

let total = 0;
for (const path of [join(out, "index.html"), join(out, "openapi.json"), ...filesIn(join(out, "assets"))]) {
  if (/\.(gz|woff2)$/.test(path)) continue;
  const bytes = readFileSync(path);
  const packed = gzipSync(bytes, { level: 9 });
  total += packed.length;
  if (packed.length < bytes.length) writeFileSync(path + ".gz", packed);
}
console.log(`${relative(process.cwd(), out) || out}: ${outputs.length} files, ${total} bytes gzipped`);

function filesIn(folder) {
  return readdirSync(folder).map((name) => join(folder, name));
}
