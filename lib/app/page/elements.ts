/**
 * Finds elements of the page by id, creates new ones, and makes buttons that copy text.
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

/** Copies `text`; true if the browser did so. */
async function copyText(text: string): Promise<boolean> {
  if (isSecureContext) { // other contexts, such as an address in the local network, have no clipboard API
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // not permitted: try the deprecated API
    }
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "outside";
  document.body.append(field);
  const focused = document.activeElement;
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

/** Makes a button copy the result of `text` and confirm it for a moment. */
export function makeCopyButton(
  button: HTMLButtonElement,
  { text, announce }: { readonly text: () => string; readonly announce: (words: string) => void },
): void {
  const label = button.textContent ?? "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", async () => {
    const isCopied = await copyText(text());
    const words = isCopied ? "Copied" : "Cannot copy: not permitted by the browser";
    button.textContent = words;
    announce(`${words}.`);
    clearTimeout(timer);
    timer = setTimeout(() => button.textContent = label, 1500);
  });
}
