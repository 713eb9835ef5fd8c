// Light or dark: the system's choice until the user makes another one.
import { remember, remembered } from "./memory.js";

type Theme = "light" | "dark";

export function currentTheme(): Theme {
  const chosen = remembered("theme");
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export function applyTheme(): void {
  document.documentElement.dataset["theme"] = currentTheme();
}

export function toggleTheme(): void {
  remember("theme", currentTheme() === "dark" ? "light" : "dark");
  applyTheme();
}
