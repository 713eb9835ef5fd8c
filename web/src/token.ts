// The access token that this page was opened with: "/#token=…" or "/d/{id}#token=…". A fragment is sent
// to no server and written into no log; it is kept for this tab, and taken out of the address bar.
import { tabStorage } from "./memory.js";

const key = "weft:token";

export function takeTokenFromAddress(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return;
  tabStorage().setItem(key, given);
  history.replaceState(history.state, "", location.pathname + location.search);
}

/** Empty when there is none. */
export function accessToken(): string {
  return tabStorage().getItem(key) ?? "";
}
