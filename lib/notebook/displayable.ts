/**
 * Values that show themselves in a notebook when they are a cell's last one.
 * @module
 */

/** The method's name that the Deno kernel looks for. */
export const DISPLAY = Symbol.for("Jupyter.display");

/** Text and HTML of one thing: each front end shows the richest form that it can. */
export type Shown = { readonly "text/plain": string; readonly "text/html": string };

/** A value that knows how to show itself in a notebook. */
export type Displayable = { readonly [DISPLAY]: () => Shown };

/** A value that shows itself as `shown`. */
export function displayable(shown: Shown): Displayable {
  return { [DISPLAY]: () => shown };
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Text that HTML shows as it is, in elements and attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}
