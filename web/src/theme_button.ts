import { h, icon, icons } from "./dom.js";
import { currentTheme, toggleTheme } from "./theme.js";

/** Switches between light and dark. */
export function themeButton(): HTMLButtonElement {
  const button = h("button", {
    type: "button",
    class: "button icon-only quiet",
    onclick: () => {
      toggleTheme();
      show();
    },
  });
  const show = () => {
    const other = currentTheme() === "dark" ? "light" : "dark";
    button.replaceChildren(icon(other === "dark" ? icons.moon : icons.sun));
    button.setAttribute("aria-label", `Switch to the ${other} theme`);
    button.title = `Switch to the ${other} theme`;
  };
  show();
  return button;
}
