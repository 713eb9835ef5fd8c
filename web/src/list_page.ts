// "/": all documents, newest first; making one, opening one, deleting one.
import { SessionStore } from "../../client/src/store.js";
import { createDocument, deleteDocument, listDocuments, type DocumentInfo } from "./api.js";
import { confirmDialog } from "./dialogs.js";
import { h, icon, icons, logo } from "./dom.js";
import { extensionOf } from "./file_name.js";
import { tabStorage } from "./memory.js";
import { themeButton } from "./theme_button.js";

const ideas = ["main.cpp", "notes.md", "app.ts", "sketch.py"];
const filterFrom = 8;  // documents; below it, looking is quicker than typing

export async function openList(root: HTMLElement): Promise<void> {
  document.title = "Weft";
  const name = h("input", {
    id: "title",
    type: "text",
    placeholder: "main.cpp",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: "120",
    required: true,
    "aria-describedby": "create-hint",
  });
  const hint = h("p", { id: "create-hint", class: "hint", "aria-live": "polite" }, "The name chooses the language.");
  const create = async (title: string) => {
    try {
      const made = await createDocument(title);
      location.assign(`/d/${made.id}`);
    } catch (error) {
      hint.textContent = (error as Error).message;
      hint.classList.add("error");
    }
  };
  const form = h(
    "form",
    {
      class: "create",
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        const title = name.value.trim();
        if (title !== "") void create(title);
      },
    },
    h("label", { for: "title" }, "New document"),
    h(
      "div",
      { class: "create-row" },
      name,
      h("button", { class: "button primary", type: "submit" }, icon(icons.plus), "Create"),
    ),
    hint,
  );

  const filter = h("input", {
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter by name",
    oninput: () => show(),
  });
  const count = h("span", { class: "count" });
  const rows = h("ul", { class: "documents" });
  const more = h("button", { class: "button quiet more", type: "button", onclick: () => void load() }, "Show more");
  const tools = h("label", { class: "filter" }, icon(icons.search), filter);
  const list = h(
    "section",
    { "aria-labelledby": "all" },
    h("div", { class: "list-head" }, h("h2", { id: "all" }, "Documents"), count, tools),
    rows,
    more,
  );
  root.replaceChildren(
    h("header", { class: "site-head" }, h("a", { class: "brand", href: "/" }, logo(), "Weft"), themeButton()),
    h(
      "main",
      { class: "list-page" },
      h("h1", {}, "Write the same file, ", h("em", {}, "at the same time"), "."),
      h(
        "p",
        { class: "lead" },
        "Open a document, share its link, and type together. What the editor calls saved is on disk.",
      ),
      form,
      list,
    ),
  );
  name.focus();

  let known: DocumentInfo[] = [];
  let cursor = "";
  const load = async () => {
    const page = await listDocuments(cursor);
    known = [...known, ...page.documents];
    cursor = page.nextCursor;
    show();
  };
  const remove = async (info: DocumentInfo) => {
    const sure = await confirmDialog({
      title: `Delete “${info.title}”?`,
      text: "It closes for everyone who has it open, and its link stops working.",
      action: "Delete",
    });
    if (!sure) return;
    try {
      await deleteDocument(info.id);
      known = known.filter((other) => other.id !== info.id);
      show();
    } catch (error) {
      hint.textContent = (error as Error).message;
      hint.classList.add("error");
    }
  };
  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    const shown = known.filter((info) => info.title.toLowerCase().includes(wanted));
    tools.hidden = known.length < filterFrom && cursor === "";
    more.hidden = cursor === "";
    count.textContent = known.length === 0 ? "" : `${known.length}${cursor === "" ? "" : "+"}`;
    if (known.length === 0) {
      rows.replaceChildren(
        h(
          "li",
          { class: "empty" },
          h("p", {}, "Nothing here yet. Start with one of these:"),
          h(
            "div",
            { class: "ideas" },
            ...ideas.map((title) =>
              h("button", { type: "button", class: "button idea", onclick: () => void create(title) }, badge(title), title),
            ),
          ),
        ),
      );
    } else if (shown.length === 0) {
      rows.replaceChildren(h("li", { class: "empty" }, h("p", {}, "No document has such a name.")));
    } else {
      rows.replaceChildren(...shown.map((info) => row(info, remove)));
    }
  };
  await load();
}

function row(info: DocumentInfo, remove: (info: DocumentInfo) => Promise<void>): HTMLLIElement {
  // Typed in this tab, and not acknowledged before its page was left: opening it sends them.
  const waiting = new SessionStore(tabStorage(), info.id).waiting();
  return h(
    "li",
    { class: "document" },
    h(
      "a",
      { href: `/d/${info.id}` },
      badge(info.title),
      h("span", { class: "title" }, info.title),
      waiting > 0
        ? h("span", { class: "size waiting" }, `${waiting.toLocaleString("en")} unsaved here`)
        : h("span", { class: "size" }, size(info.edits)),
      h("time", { datetime: info.updated.toISOString(), title: info.updated.toLocaleString() }, ago(info.updated)),
    ),
    h(
      "button",
      {
        type: "button",
        class: "button icon-only danger",
        "aria-label": `Delete ${info.title}`,
        title: "Delete",
        onclick: () => void remove(info),
      },
      icon(icons.trash),
    ),
  );
}

/** The file's kind as a small square: its extension, in a colour of its own. */
export function badge(title: string): HTMLSpanElement {
  const extension = extensionOf(title).slice(0, 4);
  let hue = 7;
  for (const letter of extension) hue = (hue * 31 + letter.charCodeAt(0)) % 360;
  const element = h("span", { class: "badge", "aria-hidden": "true" }, extension || "file");
  element.style.setProperty("--hue", String(hue));
  return element;
}

function size(edits: number): string {
  if (edits === 0) return "empty";
  return `${edits.toLocaleString("en")} ${edits === 1 ? "edit" : "edits"}`;
}

export function ago(when: Date): string {
  const seconds = Math.round((when.getTime() - Date.now()) / 1000);
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (seconds > -45) return "just now";
  if (seconds > -3600) return format.format(Math.round(seconds / 60), "minute");
  if (seconds > -86_400) return format.format(Math.round(seconds / 3600), "hour");
  if (seconds > -30 * 86_400) return format.format(Math.round(seconds / 86_400), "day");
  return when.toLocaleDateString("en", { year: "numeric", month: "short", day: "numeric" });
}
