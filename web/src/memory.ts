// What this browser remembers about its user: localStorage, where there is one.

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
