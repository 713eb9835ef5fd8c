// The bars around the editor: title, saved indicator, people, share link; connection and place.
// They only show; what they show comes from editor_page.ts.
import type { Access, ConnectionState, Peer, Rescue } from "@weft/client";
import { copyText, textDialog } from "./dialogs.js";
import { h, icon, icons, logo } from "./dom.js";
import { colours, css, paint, type Person } from "./people.js";
import { badge } from "./list_page.js";
import type { Place } from "./place.js";
import { themeButton } from "./theme_button.js";

const savingShownAfterMs = 300;  // most edits are durable sooner: no flicker
const mostFaces = 5;

interface Wiring {
  readonly title: string;
  readonly language: string;
  readonly person: Person;
  readonly renamed: (person: Person) => void;
  readonly lookAt: (session: number) => void;
  readonly rescueDone: (rescue: Rescue) => void;
}

const plural = (n: number, what: string) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

export class EditorBars {
  readonly top: HTMLElement;
  readonly bottom: HTMLElement;
  readonly notices = h("div", { class: "notices", "aria-live": "polite" });
  readonly #wiring: Wiring;
  readonly #saved = h("span", { class: "saved", role: "status", "data-saved": "loading" }, "Loading…");
  readonly #role = h("span", { class: "role", role: "status", hidden: true });
  readonly #faces = h("div", { class: "faces", role: "group", "aria-label": "People here" });
  readonly #me: HTMLButtonElement;
  readonly #link = h("span", { class: "link-state", role: "status" }, h("i", {}), h("span", {}, "Connecting"));
  readonly #place = h("span", { class: "place" });
  readonly #lines = h("span", { class: "optional" });
  #person: Person;
  #savingTimer: ReturnType<typeof setTimeout> | undefined;
  #final: HTMLElement | null = null;

  constructor(wiring: Wiring) {
    this.#wiring = wiring;
    this.#person = wiring.person;
    this.#me = h("button", { type: "button", class: "face me", onclick: () => this.#card.toggle() });
    this.#paintMe();
    this.top = h(
      "header",
      { class: "bar top" },
      h("a", { class: "home", href: "/", "aria-label": "All documents", title: "All documents" }, logo()),
      h("div", { class: "name" }, badge(wiring.title), h("h1", { title: wiring.title }, wiring.title)),
      this.#saved,
      this.#role,
      h("div", { class: "spring" }),
      this.#faces,
      h("div", { class: "me-box" }, this.#me, this.#card),
      this.#shareButton(),
      themeButton(),
    );
    this.bottom = h(
      "footer",
      { class: "bar bottom" },
      this.#link,
      h("div", { class: "spring" }),
      this.#place,
      this.#lines,
      h("span", { class: "optional" }, "UTF-8 · LF"),
      h("span", {}, wiring.language),
    );
  }

  frame(editor: HTMLElement): HTMLElement {
    return h("main", { class: "editor-frame" }, editor);
  }

  showSaved(state: ConnectionState, unsaved: number): void {
    clearTimeout(this.#savingTimer);
    if (state.kind === "closed") return this.#say("closed", unsaved > 0 ? "Not saved" : "Closed");
    if (state.kind !== "live") {
      const offline = unsaved > 0 ? `Offline · ${plural(unsaved, "edit")} kept` : "Offline";
      const first = this.#saved.dataset["saved"] === "loading" && unsaved === 0;
      if (!first || state.kind === "waiting") this.#say("offline", offline);
      return;
    }
    if (unsaved === 0) return this.#say("saved", "Saved");
    const saving = () => this.#say("saving", `Saving… ${unsaved.toLocaleString("en")} unsaved`);
    if (this.#saved.dataset["saved"] === "saving") return saving();
    this.#savingTimer = setTimeout(saving, savingShownAfterMs);
  }

  /** The server has said what may be done here, and as whom. */
  showAccess({ role, name }: Access): void {
    const readOnly = role === "viewer" || role === "commenter";
    this.#role.hidden = !readOnly;
    this.#role.textContent = "Read only";
    this.#role.title = `You are here as ${role}: you see every change, and change nothing.`;
    this.#person = { ...this.#person, name };
    this.#paintMe();
  }

  showState(state: ConnectionState, unsaved: number): void {
    const texts = {
      connecting: "Connecting",
      syncing: "Synchronising",
      live: "Connected",
      waiting: "Reconnecting",
      closed: "Disconnected",
    };
    this.#link.dataset["state"] = state.kind;
    this.#link.lastElementChild!.textContent = texts[state.kind];
    this.#link.title = state.kind === "waiting" || state.kind === "closed" ? state.reason : "";
    this.#final?.remove();
    this.#final = null;
    if (state.kind !== "closed" || state.code === 1000) return;
    const why = state.code === 4404 ? "This document was deleted." : state.reason || "The server refused the connection.";
    const kept = unsaved > 0 ? " The text stays here until you leave the page." : "";
    this.#final = notice("bad", why + kept, h("a", { class: "button", href: "/" }, "All documents"));
    this.notices.append(this.#final);
  }

  showPeers(peers: readonly Peer[]): void {
    const faces = peers.slice(0, mostFaces).map(({ session, state }) => {
      const name = state.name || "Anonymous";
      const face = h("button", {
        type: "button",
        class: "face",
        title: `${name}: show where they are`,
        "aria-label": `${name}: show where they are`,
        onclick: () => this.#wiring.lookAt(session),
      });
      paint(face, { name, colour: state.colour });
      return face;
    });
    const more = peers.length - faces.length;
    const rest = more > 0 && h("span", { class: "face more", title: plural(more, "more person") }, `+${more}`);
    this.#faces.replaceChildren(...faces, ...(rest === false ? [] : [rest]));
  }

  showPlace({ line, column, selected, carets, lines }: Place): void {
    const selection = selected > 0 ? ` (${selected.toLocaleString("en")} selected)` : "";
    this.#place.textContent =
      carets > 1 ? `${carets} carets${selection}` : `Ln ${line}, Col ${column}${selection}`;
    this.#lines.textContent = plural(lines, "line");
  }

  showRescue(rescue: Rescue): void {
    const text = rescue.text ?? rescue.inserted.join("\n\n");
    const look = h("button", { type: "button", class: "button" }, "Show my version");
    look.addEventListener("click", () =>
      textDialog({
        title: "My version",
        note: `The text as it stood here, with ${plural(rescue.edits, "edit")} that the document could not take.`,
        text,
        fileName: this.#wiring.title,
      }),
    );
    const done = h("button", { type: "button", class: "button quiet" }, "Discard");
    const box = notice(
      "warn",
      `The document changed on the server in a way that ${plural(rescue.edits, "unsaved edit")} of yours did not fit. Nothing is lost: your version is kept here.`,
      look,
      done,
    );
    done.addEventListener("click", () => {
      box.remove();
      this.#wiring.rescueDone(rescue);
    });
    this.notices.append(box);
  }

  #say(kind: string, text: string): void {
    if (this.#saved.dataset["saved"] === kind && this.#saved.textContent === text) return;
    this.#saved.dataset["saved"] = kind;
    const mark = kind === "saved" ? icon(icons.check) : kind === "offline" ? icon(icons.cloudOff) : h("i", {});
    this.#saved.replaceChildren(mark, text);
  }

  #paintMe(): void {
    paint(this.#me, this.#person);
    this.#me.title = `You are ${this.#person.name}`;
    this.#me.setAttribute("aria-label", `You are ${this.#person.name}. Change name and colour`);
  }

  /** Own name and colour. */
  readonly #card: Card = this.#makeCard();

  #makeCard(): Card {
    const name = h("input", { id: "my-name", type: "text", maxlength: "32", autocomplete: "nickname" });
    const dots = colours.map((colour) => {
      const dot = h("button", {
        type: "button",
        class: "dot",
        "aria-label": `Colour ${css(colour)}`,
        onclick: () => become({ ...this.#person, colour }),
      });
      dot.style.setProperty("--person", css(colour));
      return dot;
    });
    const card = h(
      "div",
      { class: "card", hidden: true, role: "dialog", "aria-label": "You" },
      h("label", { for: "my-name" }, "Your name"),
      name,
      h("div", { class: "dots", role: "group", "aria-label": "Your colour" }, ...dots),
    );
    const become = (person: Person) => {
      this.#person = person;
      this.#paintMe();
      mark();
      this.#wiring.renamed(person);
    };
    const mark = () =>
      dots.forEach((dot, i) => dot.setAttribute("aria-pressed", String(colours[i] === this.#person.colour)));
    name.addEventListener("input", () => become({ ...this.#person, name: name.value.trim() || "Anonymous" }));
    const close = () => {
      card.hidden = true;
    };
    card.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" && event.key !== "Enter") return;
      close();
      this.#me.focus();
    });
    addEventListener("pointerdown", (event) => {
      const inside = event.target instanceof Node && (card.contains(event.target) || this.#me.contains(event.target));
      if (!inside) close();
    });
    return Object.assign(card, {
      toggle: () => {
        card.hidden = !card.hidden;
        if (card.hidden) return;
        name.value = this.#person.name;
        mark();
        name.select();
      },
    });
  }

  #shareButton(): HTMLButtonElement {
    const label = h("span", {}, "Share");
    const button = h(
      "button",
      { type: "button", class: "button primary share", title: "Copy the link to this document" },
      icon(icons.link),
      label,
    );
    button.addEventListener("click", () => {
      void copyText(location.href).then((done) => {
        label.textContent = done ? "Link copied" : "Copy failed";
        setTimeout(() => (label.textContent = "Share"), 1800);
      });
    });
    return button;
  }
}

type Card = HTMLElement & { toggle(): void };

function notice(kind: "warn" | "bad", text: string, ...actions: HTMLElement[]): HTMLElement {
  return h("div", { class: `notice ${kind}` }, h("p", {}, text), h("div", { class: "actions" }, ...actions));
}
