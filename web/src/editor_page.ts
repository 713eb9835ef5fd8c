// "/d/{id}": the editor with its connection, and the bars around it.
import { Connection, Core, SessionStore, browserPorts, type Rescue } from "@weft/client";
import { userChanged, weft } from "@weft/client/codemirror";
import { EditorView } from "@codemirror/view";
import wasmAddress from "weft.wasm";
import { getDocument, socketUrl } from "./api.js";
import { EditorBars } from "./editor_bars.js";
import { createEditor } from "./editor.js";
import { languageOf } from "./languages.js";
import { tabStorage } from "./memory.js";
import { becomeKnownAs, whoAmI } from "./people.js";
import { placeOf } from "./place.js";
import { accessToken } from "./token.js";

declare global {
  interface Window {
    /** For tests and for the curious; web/README.md describes it. */
    weft?: { readonly connection: Connection; readonly view: EditorView };
  }
}

export async function openEditor(root: HTMLElement, id: string): Promise<void> {
  const [info, core] = await Promise.all([getDocument(id), loadCore()]);
  document.title = `${info.title} · Weft`;
  const store = new SessionStore(tabStorage(), id);
  const connection = new Connection({
    core,
    url: socketUrl(id),
    ports: browserPorts(),
    restored: store.claim(),
    token: accessToken,
  });
  let person = whoAmI();
  const language = languageOf(info.title);
  const bars = new EditorBars({
    title: info.title,
    language: language.name,
    person,
    renamed: (now) => {
      person = now;
      becomeKnownAs(now);
      view.dispatch({ effects: userChanged.of(null) });
    },
    lookAt: (session) => lookAt(view, connection, session),
    rescueDone: (rescue) => store.dropRescue(rescue.id),
  });
  const view = createEditor({
    language,
    binding: weft(connection, () => person),
    moved: () => bars.showPlace(placeOf(view, connection)),
  });
  root.replaceChildren(bars.top, bars.notices, bars.frame(view.dom), bars.bottom);
  window.weft = { connection, view };

  const showSaved = () => bars.showSaved(connection.state, connection.unsaved);
  connection.on("state", (state) => {
    bars.showState(state, connection.unsaved);
    showSaved();
  });
  connection.on("access", (access) => bars.showAccess(access));
  connection.on("unsaved", showSaved);
  connection.on("peers", (peers) => bars.showPeers(peers));
  connection.on("document", (document) => {
    if (document === null) return;
    if (!view.hasFocus) view.focus();
    bars.showPlace(placeOf(view, connection));
  });
  connection.on("rescue", (rescue: Rescue) => {
    store.addRescue(rescue);
    bars.showRescue(rescue);
  });
  connection.on("diverged", (why) => console.warn("weft: mended from the server:", why));
  for (const rescue of store.rescues()) bars.showRescue(rescue);

  keepAcrossReloads(connection, store);
  connection.start();
}

async function loadCore(): Promise<Core> {
  const response = await fetch(wasmAddress);
  if (!response.ok) throw new Error(`The editor's core could not be loaded (${response.status}).`);
  return Core.load(await response.arrayBuffer());
}

function keepAcrossReloads(connection: Connection, store: SessionStore): void {
  addEventListener("pagehide", () => {
    store.save(connection.handOver());
  });
  // A page that comes back out of the browser's cache has handed its identity over already.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  // A reload keeps unsaved edits and rescued texts, but closing the tab would not.
  addEventListener("beforeunload", (event) => {
    if (connection.unsaved > 0 || store.rescues().length > 0) event.preventDefault();
  });
  addEventListener("online", () => connection.retryNow());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") connection.retryNow();
  });
}

function lookAt(view: EditorView, connection: Connection, session: number): void {
  const peer = connection.peers.find((other) => other.session === session);
  const head = peer?.state.selections[0]?.head;
  const at = head === undefined ? null : (connection.document?.resolve(head) ?? null);
  if (at === null) return;
  view.dispatch({ effects: EditorView.scrollIntoView(at, { y: "center" }) });
}
