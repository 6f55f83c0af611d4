// Owns making and finding elements. It refuses markup: whatever text comes from elsewhere becomes a text node.

import { moneyOf } from "../figures/amounts.ts";

type Child = Node | string;

/** Makes an element with attributes and children; strings become text. */
export function make<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** An element of index.html. @throws when the page has no such element: a fault of ours. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element as T;
}

/** Sets a text where it differs, so that live regions stay quiet and nothing is laid out again. */
export function setText(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a text, or hides the element when there is none. */
export function setNotice(id: string, text: string | null): void {
  const element = byId(id);
  element.hidden = text === null;
  if (text !== null && element.textContent !== text) element.textContent = text;
}

/** Money with the digits below a hundredth set smaller: exact, and still easy to read. */
export function moneyNode(micros: number, currency: string, isChange = false): HTMLElement {
  const { head, tail } = moneyOf(micros, currency, isChange);
  return make("span", { class: "money" }, head, make("span", { class: "tail" }, tail));
}
