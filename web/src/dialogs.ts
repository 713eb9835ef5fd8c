// Questions and longer texts in the browser's own modal dialog.
import { h, icon, icons } from "./dom.js";

/** True when the user chose the action. */
export function confirmDialog(ask: { title: string; text: string; action: string }): Promise<boolean> {
  const cancel = h("button", { class: "button", value: "cancel" }, "Cancel");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "dialog-title" }, ask.title),
      h("p", {}, ask.text),
      h("div", { class: "dialog-actions" }, cancel, h("button", { class: "button danger solid", value: "yes" }, ask.action)),
    ),
  );
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    cancel.focus();
  });
}

/** A text to look at, copy or keep as a file. */
export function textDialog(show: { title: string; note: string; text: string; fileName: string }): void {
  const area = h("textarea", { readonly: true, spellcheck: "false", "aria-label": show.title });
  area.value = show.text;
  const copy = h("button", { type: "button", class: "button primary" }, "Copy");
  copy.addEventListener("click", () => {
    void copyText(show.text).then((done) => {
      copy.textContent = done ? "Copied" : "Copy failed";
    });
  });
  const file = h(
    "a",
    { class: "button", download: show.fileName, href: URL.createObjectURL(new Blob([show.text])) },
    "Download",
  );
  const close = h("button", { class: "button icon-only quiet", "aria-label": "Close" }, icon(icons.close));
  const dialog = h(
    "dialog",
    { class: "wide", "aria-labelledby": "dialog-title" },
    h(
      "form",
      { method: "dialog" },
      h("div", { class: "dialog-head" }, h("h2", { id: "dialog-title" }, show.title), close),
      h("p", {}, show.note),
      area,
      h("div", { class: "dialog-actions" }, file, copy),
    ),
  );
  dialog.addEventListener("close", () => {
    URL.revokeObjectURL(file.href);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** The clipboard exists only in secure contexts; elsewhere the old command does. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { class: "off-screen" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
