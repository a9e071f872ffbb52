/**
 * Values that a notebook displays as the result of a cell.
 * @module
 */

/** Name of the method that the Deno kernel calls to display a value. */
export const DISPLAY = Symbol.for("Jupyter.display");

/** The same content as text and as HTML; a front end shows the richest form that it supports. */
export type Shown = { readonly "text/plain": string; readonly "text/html": string };

/** A value that notebooks can display. */
export type Displayable = { readonly [DISPLAY]: () => Shown };

/** Creates a value that is displayed as `shown`. */
export function displayable(shown: Shown): Displayable {
  return { [DISPLAY]: () => shown };
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Escapes text for HTML elements and attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);
}

/** Shows the parts one below the other. */
export function stack(parts: readonly Displayable[]): Displayable {
  const shown = parts.map((part) => part[DISPLAY]());
  return displayable({
    "text/plain": shown.map((part) => part["text/plain"]).join("\n"),
    "text/html": shown.map((part) => part["text/html"]).join("\n"),
  });
}

/** A line of text. */
export function showText(text: string): Displayable {
  return displayable({ "text/plain": text, "text/html": `<p>${escapeHtml(text)}</p>` });
}
