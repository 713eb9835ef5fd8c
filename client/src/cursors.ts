// The carets and selections of others as CodeMirror decorations. A name shows while its owner is at
// work, and on hovering.
import type { ChangeDesc, Range, Text } from "@codemirror/state";
import { Decoration, EditorView, WidgetType, type DecorationSet } from "@codemirror/view";
import type { WeftDocument } from "./core.js";
import type { Peer } from "./protocol.js";

const nameShownMs = 2_500;

interface Place {
  anchor: number;
  head: number;
}

interface Shown {
  peer: Peer;
  /** Parallel to the peer's selections; null where an element never was here. */
  places: (Place | null)[];
  activeUntil: number;
  as: string;
}

export class RemoteCursors {
  decorations: DecorationSet = Decoration.none;
  readonly #redraw: () => void;
  readonly #shown = new Map<number, Shown>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `redraw` asks for an update, later. */
  constructor(redraw: () => void) {
    this.#redraw = redraw;
  }

  show(peers: readonly Peer[]): void {
    const gone = new Set(this.#shown.keys());
    for (const peer of peers) {
      gone.delete(peer.session);
      const before = this.#shown.get(peer.session);
      const as = JSON.stringify(peer.state);
      if (before?.as === as) continue;
      const activeUntil = Date.now() + nameShownMs;
      this.#shown.set(peer.session, { peer, places: before?.places ?? [], activeUntil, as });
    }
    for (const session of gone) this.#shown.delete(session);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#redraw, nameShownMs + 50);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** After a change of the text or of the peers. `document` holds the same text as `doc`. */
  update(document: WeftDocument | null, doc: Text, changes: ChangeDesc): void {
    const ranges: Range<Decoration>[] = [];
    const now = Date.now();
    const most = doc.length;
    for (const shown of this.#shown.values()) {
      const { peer } = shown;
      shown.places = peer.state.selections.map(({ anchor, head }, i) => {
        const a = document?.resolve(anchor) ?? null;
        const h = document?.resolve(head) ?? null;
        if (a !== null && h !== null) return { anchor: Math.min(a, most), head: Math.min(h, most) };
        // The peer already stands on text that is still on its way: keep the last place meanwhile.
        const last = shown.places[i] ?? null;
        if (last === null || changes.length < Math.max(last.anchor, last.head)) return null;
        return { anchor: changes.mapPos(last.anchor, 1), head: changes.mapPos(last.head, 1) };
      });
      const colour = `#${peer.state.colour.toString(16).padStart(6, "0")}`;
      const active = shown.activeUntil > now;
      for (const place of shown.places) {
        if (place === null) continue;
        const from = Math.min(place.anchor, place.head);
        const to = Math.max(place.anchor, place.head);
        if (from < to) {
          const mark = { class: "weft-selection", attributes: { style: `--weft-colour:${colour}` } };
          ranges.push(Decoration.mark(mark).range(from, to));
        }
        const below = doc.lineAt(place.head).number === 1;
        const widget = new Caret(peer.state.name, colour, active, below);
        // Left of the own caret's side, so that typing in front of it looks natural.
        ranges.push(Decoration.widget({ widget, side: 1 }).range(place.head));
      }
    }
    this.decorations = Decoration.set(ranges, true);
  }
}

class Caret extends WidgetType {
  constructor(
    readonly name: string,
    readonly colour: string,
    readonly active: boolean,
    readonly below: boolean,
  ) {
    super();
  }
  override eq(other: Caret): boolean {
    return (
      other.name === this.name &&
      other.colour === this.colour &&
      other.active === this.active &&
      other.below === this.below
    );
  }
  override toDOM(): HTMLElement {
    const caret = document.createElement("span");
    this.#dress(caret);
    const name = document.createElement("span");
    name.className = "weft-caret-name";
    name.textContent = this.name || "Anonymous";
    // Word joiners give the empty span a line's height without letting a line break in.
    caret.append("\u2060", name, "\u2060");
    return caret;
  }
  override updateDOM(caret: HTMLElement): boolean {
    const name = caret.querySelector(".weft-caret-name");
    if (name === null) return false;
    name.textContent = this.name || "Anonymous";
    this.#dress(caret);
    return true;
  }
  override ignoreEvent(): boolean {
    return true;
  }
  #dress(caret: HTMLElement): void {
    const classes = ["weft-caret", this.active && "weft-active", this.below && "weft-below"];
    caret.className = classes.filter(Boolean).join(" ");
    caret.setAttribute("aria-hidden", "true");
    caret.style.setProperty("--weft-colour", this.colour);
    caret.style.setProperty("--weft-ink", inkOn(this.colour));
  }
}

/** Black or white, whichever reads better on the colour (WCAG's relative luminance). */
export function inkOn(colour: string): string {
  const channel = (at: number) => {
    const c = parseInt(colour.slice(at, at + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return luminance > 0.22 ? "#101014" : "#ffffff";
}

export const cursorTheme = EditorView.baseTheme({
  ".weft-selection": {
    backgroundColor: "color-mix(in srgb, var(--weft-colour) 26%, transparent)",
    borderRadius: "2px",
  },
  ".weft-caret": {
    position: "relative",
    borderLeft: "2px solid var(--weft-colour)",
    marginLeft: "-1px",
    marginRight: "-1px",
  },
  ".weft-caret::before": {
    content: "''",
    position: "absolute",
    top: "-2px",
    left: "-4px",
    width: "6px",
    height: "6px",
    borderRadius: "3px",
    backgroundColor: "var(--weft-colour)",
  },
  ".weft-caret::after": {
    content: "''",
    position: "absolute",
    inset: "-2px -6px -2px -8px",
  },
  ".weft-caret-name": {
    position: "absolute",
    bottom: "100%",
    left: "-2px",
    zIndex: "20",
    padding: "1px 6px 2px",
    borderRadius: "5px 5px 5px 0",
    font: "600 11px/1.35 var(--weft-caret-font, system-ui, sans-serif)",
    whiteSpace: "nowrap",
    color: "var(--weft-ink)",
    backgroundColor: "var(--weft-colour)",
    opacity: "0",
    transition: "opacity 160ms",
    pointerEvents: "none",
    userSelect: "none",
  },
  ".weft-below .weft-caret-name": {
    bottom: "auto",
    top: "100%",
    borderRadius: "0 5px 5px 5px",
  },
  ".weft-active .weft-caret-name, .weft-caret:hover .weft-caret-name": { opacity: "1" },
  ".weft-active::before, .weft-caret:hover::before": { opacity: "0" },
});
