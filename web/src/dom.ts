// h("button", { class: "primary", onclick }, "Create"): elements without a framework.

type Child = Node | string | null | false;
type Props = Record<string, string | boolean | null | ((event: never) => void)>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value as EventListener);
    } else if (value !== null && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return element;
}

/** A line icon of 16 units, from path data. */
export function icon(path: string, label?: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  if (label === undefined) svg.setAttribute("aria-hidden", "true");
  else svg.setAttribute("aria-label", label);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const icons = {
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1v1.4M8 13.6V15M1 8h1.4M13.6 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  moon: "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z",
  link: "M6.7 9.3a2.7 2.7 0 0 0 3.9 0l2.2-2.3a2.7 2.7 0 0 0-3.8-3.8l-.7.7M9.3 6.7a2.7 2.7 0 0 0-3.9 0L3.2 9A2.7 2.7 0 0 0 7 12.8l.7-.7",
  check: "m3 8.6 3.2 3.2L13 4.6",
  trash: "M2.8 4.4h10.4M6.4 4.2V2.8h3.2v1.4M4.2 4.6l.6 8.6h6.4l.6-8.6M6.8 7v3.6M9.2 7v3.6",
  plus: "M8 3v10M3 8h10",
  cloudOff: "M2 2l12 12M5.2 5.6A3.4 3.4 0 0 0 5 12.2h6.6M13.7 11.2a2.6 2.6 0 0 0-1.6-4.3 4.2 4.2 0 0 0-4.6-3.1",
  arrow: "M9.8 3.4 5.2 8l4.6 4.6",
  search: "M7 2.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8M10.4 10.4l3 3",
  close: "m4 4 8 8M12 4l-8 8",
} as const;

/** Warp and weft: two threads over and under each other. */
export function logo(): SVGSVGElement {
  const svg = icon("M4.7 1.6v12.8M11.3 1.6v3.1M11.3 8.9v5.5M1.6 5.2h1M6.8 5.2h7.6M1.6 10.8h7.6M13.4 10.8h1");
  svg.classList.add("logo");
  return svg;
}
