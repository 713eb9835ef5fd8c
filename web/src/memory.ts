// What this browser remembers about its user: localStorage, where there is one.
import type { KeyValueStorage } from "../../client/src/store.js";

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`weft:${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`weft:${key}`, value);
  } catch {
    // Then it holds for this page only.
  }
}

/** The tab's own storage; where that is switched off, one that lasts as long as the page. */
export function tabStorage(): KeyValueStorage {
  try {
    return sessionStorage;
  } catch {
    const kept = new Map<string, string>();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    };
  }
}
