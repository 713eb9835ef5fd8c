// The page's rooms: / lists the documents, /d/{id} edits one, /docs explains the HTTP API.
import { ApiError } from "./api.js";
import { h } from "./dom.js";
import { applyTheme } from "./theme.js";
import { takeTokenFromAddress } from "./token.js";

async function open(root: HTMLElement): Promise<void> {
  const document = /^\/d\/([0-9a-fA-F-]{36})\/?$/.exec(location.pathname);
  if (document !== null) {
    const { openEditor } = await import("./editor_page.js");
    await openEditor(root, document[1]!.toLowerCase());
  } else if (location.pathname === "/docs") {
    const { openDocs } = await import("./docs_page.js");
    await openDocs(root);
  } else {
    const { openList } = await import("./list_page.js");
    await openList(root);
  }
}

const root = document.getElementById("app")!;
takeTokenFromAddress();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
open(root).catch((error: unknown) => {
  const status = error instanceof ApiError ? error.status : 0;
  const gone = status === 404 || status === 410;
  const locked = status === 401;
  root.replaceChildren(
    h(
      "main",
      { class: "failure" },
      h("h1", {}, locked ? "This door is locked" : gone ? "There is no such document" : "This page could not be opened"),
      h("p", {}, error instanceof Error ? error.message : String(error)),
      locked && h("p", {}, "Open this page with the link that you were given: it ends with #token=…"),
      h(
        "div",
        { class: "dialog-actions" },
        !locked && h("a", { class: "button", href: "/" }, "All documents"),
        !gone &&
          !locked &&
          h("button", { class: "button primary", onclick: () => location.reload() }, "Try again"),
      ),
    ),
  );
  if (!(error instanceof ApiError)) throw error;
});
