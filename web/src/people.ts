// Who sits here: a name and a colour, remembered by this browser, and how people are shown.
import { inkOn } from "../../client/src/cursors.js";
import { remember, remembered } from "./memory.js";

export interface Person {
  readonly name: string;
  /** 0xRRGGBB */
  readonly colour: number;
}

/** Dyes that stay apart from each other and readable on light and dark. */
export const colours = [
  0xe0533d, 0xd9822b, 0xc9a227, 0x5fa052, 0x1f9e8f, 0x2f80d0, 0x6a5acd, 0xa44fb8, 0xd6477f,
] as const;

const kinds = ["Amber", "Indigo", "Madder", "Woad", "Saffron", "Sorrel", "Sienna", "Teal", "Umber"];
const animals = ["Heron", "Otter", "Lynx", "Finch", "Marten", "Wren", "Badger", "Swift", "Hare"];

/** The remembered person, or a new one with a friendly name. */
export function whoAmI(): Person {
  const name = remembered("name");
  const colour = Number(remembered("colour") ?? NaN);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)]!;
  const person = {
    name: name ?? `${pick(kinds)} ${pick(animals)}`,
    colour: Number.isInteger(colour) ? colour & 0xffffff : pick(colours),
  };
  remember("name", person.name);
  remember("colour", String(person.colour));
  return person;
}

export function becomeKnownAs(person: Person): void {
  remember("name", person.name);
  remember("colour", String(person.colour));
}

export function css(colour: number): string {
  return `#${colour.toString(16).padStart(6, "0")}`;
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  const text = letters.map((word) => [...word][0] ?? "").join("");
  return text === "" ? "?" : text.toUpperCase();
}

export function paint(element: HTMLElement, person: Person): void {
  const colour = css(person.colour);
  element.style.setProperty("--person", colour);
  element.style.setProperty("--person-ink", inkOn(colour));
  element.textContent = initials(person.name);
}
