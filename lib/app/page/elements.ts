/**
 * Finds elements of the page by id and creates new ones.
 * @module
 */
/// <reference lib="dom" />

/** Returns the element with this id, which must be of this class. */
export function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new TypeError(`internal: the page has no ${kind.name} #${id}`);
}

/** Creates an element; strings among `children` are inserted as text, never as HTML. */
export function make(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElement {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
