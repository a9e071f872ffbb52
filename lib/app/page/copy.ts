/**
 * Copies text to the clipboard.
 * @module
 */
/// <reference lib="dom" />

/** Copies `text`; true if the browser did so. */
export async function copyText(text: string): Promise<boolean> {
  if (isSecureContext) { // the clipboard's interface is missing elsewhere, such as at an address of the local network
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // not allowed: try the old way
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

/** Makes a button copy what `text` gives, and say for a moment that it did. */
export function makeCopyButton(
  button: HTMLButtonElement,
  { text, say }: { readonly text: () => string; readonly say: (words: string) => void },
): void {
  const label = button.textContent ?? "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  button.addEventListener("click", async () => {
    const isCopied = await copyText(text());
    const words = isCopied ? "Copied" : "Cannot copy: the browser forbids it";
    button.textContent = words;
    say(`${words}.`);
    clearTimeout(timer);
    timer = setTimeout(() => button.textContent = label, 1500);
  });
}
