/**
 * Entities marked in their text.
 * @module
 */

import { type Displayable, displayable, escapeHtml } from "./displayable.ts";

/** An entity: the range [start, end) of the text in UTF-16 units, and its type. */
type MarkedSpan = { readonly start: number; readonly end: number; readonly type: string };

/** Background colors by entity type; dark text on each has a contrast above 7. */
const GROUNDS: Readonly<Record<string, string>> = {
  PER: "#ffd8a8",
  ORG: "#b2d8ff",
  LOC: "#b8e6b8",
  MISC: "#e6ccff",
};

const OTHER_GROUND = "#e0e0e0";

/**
 * A text with its entities marked, the type beside each, so that it reads without color too.
 *
 * @example
 * ```ts
 * import { showEntities } from "@/notebook/show_entities.ts";
 * showEntities("Ada Lovelace left London.", [
 *   { start: 0, end: 12, type: "PER" },
 *   { start: 18, end: 24, type: "LOC" },
 * ]); // [Ada Lovelace PER] left [London LOC].
 * ```
 */
export function showEntities(text: string, spans: readonly MarkedSpan[]): Displayable {
  let plain = "", html = "", at = 0;
  for (const { start, end, type } of spans.toSorted((a, b) => a.start - b.start)) {
    if (!(start >= at && end > start && end <= text.length)) {
      throw new RangeError(
        `entity spans must not overlap and must be inside the text: got [${start}, ${end})`,
      );
    }
    const between = text.slice(at, start), marked = text.slice(start, end);
    plain += `${between}[${marked} ${type}]`;
    html += escapeHtml(between) + formatMark(marked, type);
    at = end;
  }
  return displayable({
    "text/plain": plain + text.slice(at),
    "text/html": `<p style="line-height: 2">${html}${escapeHtml(text.slice(at))}</p>`,
  });
}

function formatMark(text: string, type: string): string {
  const style = `background: ${
    GROUNDS[type] ?? OTHER_GROUND
  }; color: #111; padding: 2px 4px; border-radius: 4px`;
  return `<mark style="${style}">${escapeHtml(text)} <small><b>${
    escapeHtml(type)
  }</b></small></mark>`;
}
