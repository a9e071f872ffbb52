/**
 * Elements of the page: found by their ids, made with text as text.
 * @module
 */
/// <reference lib="dom" />

/** The element of the page's HTML that has this id and is of this kind. */
export function find<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new TypeError(`internal: the page has no ${kind.name} #${id}`);
}

/** A new element; strings among `children` become text, whatever they hold. */
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
