// Which language a file is in, by its name; each one is loaded when it is needed.
import { StreamLanguage, type StreamParser } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { extensionOf } from "./file_name.js";

export interface Language {
  readonly name: string;
  readonly load: () => Promise<Extension>;
}

const plain: Language = { name: "Plain text", load: async () => [] };

const mode = (name: string, load: () => Promise<StreamParser<unknown>>): Language => ({
  name,
  load: async () => StreamLanguage.define(await load()),
});

const cpp: Language = { name: "C++", load: async () => (await import("@codemirror/lang-cpp")).cpp() };
const javascript = (name: string, options: { typescript?: boolean; jsx?: boolean }): Language => ({
  name,
  load: async () => (await import("@codemirror/lang-javascript")).javascript(options),
});
const yaml: Language = {
  name: "YAML",
  load: async () => (await import("@codemirror/lang-yaml")).yaml(),
};
const html: Language = {
  name: "HTML",
  load: async () => (await import("@codemirror/lang-html")).html(),
};
const markdown: Language = {
  name: "Markdown",
  load: async () => (await import("@codemirror/lang-markdown")).markdown(),
};
const shell = mode("Shell", async () => (await import("@codemirror/legacy-modes/mode/shell")).shell);
const clike = () => import("@codemirror/legacy-modes/mode/clike");

const byExtension: Record<string, Language> = {
  c: { ...cpp, name: "C" },
  h: cpp,
  cc: cpp,
  cpp,
  cxx: cpp,
  hh: cpp,
  hpp: cpp,
  js: javascript("JavaScript", { jsx: true }),
  mjs: javascript("JavaScript", {}),
  cjs: javascript("JavaScript", {}),
  jsx: javascript("JSX", { jsx: true }),
  ts: javascript("TypeScript", { typescript: true }),
  tsx: javascript("TSX", { typescript: true, jsx: true }),
  py: { name: "Python", load: async () => (await import("@codemirror/lang-python")).python() },
  html,
  htm: html,
  css: { name: "CSS", load: async () => (await import("@codemirror/lang-css")).css() },
  json: { name: "JSON", load: async () => (await import("@codemirror/lang-json")).json() },
  md: markdown,
  markdown,
  rs: { name: "Rust", load: async () => (await import("@codemirror/lang-rust")).rust() },
  java: { name: "Java", load: async () => (await import("@codemirror/lang-java")).java() },
  go: { name: "Go", load: async () => (await import("@codemirror/lang-go")).go() },
  sql: { name: "SQL", load: async () => (await import("@codemirror/lang-sql")).sql() },
  yml: yaml,
  yaml,
  xml: { name: "XML", load: async () => (await import("@codemirror/lang-xml")).xml() },
  svg: { name: "SVG", load: async () => (await import("@codemirror/lang-xml")).xml() },
  php: { name: "PHP", load: async () => (await import("@codemirror/lang-php")).php() },
  sh: shell,
  bash: shell,
  zsh: shell,
  cs: mode("C#", async () => (await clike()).csharp),
  kt: mode("Kotlin", async () => (await clike()).kotlin),
  scala: mode("Scala", async () => (await clike()).scala),
  rb: mode("Ruby", async () => (await import("@codemirror/legacy-modes/mode/ruby")).ruby),
  lua: mode("Lua", async () => (await import("@codemirror/legacy-modes/mode/lua")).lua),
  swift: mode("Swift", async () => (await import("@codemirror/legacy-modes/mode/swift")).swift),
  toml: mode("TOML", async () => (await import("@codemirror/legacy-modes/mode/toml")).toml),
  ini: mode("INI", async () => (await import("@codemirror/legacy-modes/mode/properties")).properties),
  cmake: mode("CMake", async () => (await import("@codemirror/legacy-modes/mode/cmake")).cmake),
  diff: mode("Diff", async () => (await import("@codemirror/legacy-modes/mode/diff")).diff),
  tex: mode("LaTeX", async () => (await import("@codemirror/legacy-modes/mode/stex")).stex),
  hs: mode("Haskell", async () => (await import("@codemirror/legacy-modes/mode/haskell")).haskell),
};
byExtension["patch"] = byExtension["diff"]!;

const byName: Record<string, Language> = {
  dockerfile: mode(
    "Dockerfile",
    async () => (await import("@codemirror/legacy-modes/mode/dockerfile")).dockerFile,
  ),
  "cmakelists.txt": byExtension["cmake"]!,
  makefile: { name: "Makefile", load: plain.load },
};

export function languageOf(fileName: string): Language {
  const name = fileName.trim().toLowerCase();
  return byName[name] ?? byExtension[extensionOf(name)] ?? plain;
}
