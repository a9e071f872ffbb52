/**
 * Reads the results that the demo page shows.
 * @module
 */
/// <reference lib="dom" />
import type { Locator, Page } from "playwright-core";

/** Predictions shown for a text. */
export type SeenReading = {
  readonly topic: string;
  /** Label probabilities in percent, as shown. */
  readonly shares: readonly number[];
  readonly entities: readonly { readonly type: string; readonly text: string }[];
};

/** Comparison shown for some sentences. */
export type SeenComparison = {
  /** Cosine similarities, or dot products if the page shows those. */
  readonly cosines: readonly (readonly number[])[];
  /** L1 and L2 norm of each vector. */
  readonly lengths: readonly (readonly number[])[];
};

/** Tab of this name. */
export const tab = (page: Page, name: string): Locator => page.getByRole("tab", { name });

/** Waits until the page shows the predictions for `text`. */
export async function untilRead(page: Page, text: string): Promise<void> {
  await page.waitForFunction((text) => {
    const marked = document.querySelector('#reading[aria-busy="false"] .marked')?.cloneNode(true);
    if (!(marked instanceof Element)) return false;
    marked.querySelectorAll("small").forEach((note) => note.remove());
    return marked.textContent === text;
  }, text);
}

/** Waits until the page compares `count` sentences. */
export async function untilCompared(page: Page, count: number): Promise<void> {
  await page.waitForFunction((count) => {
    const items = document.querySelectorAll('#comparison[aria-busy="false"] li');
    return items.length === count;
  }, count);
}

/** Types a text and reads the predictions. */
export async function readText(page: Page, text: string): Promise<SeenReading> {
  await page.locator("#text").fill(text);
  await untilRead(page, text);
  const title = await page.locator("#reading h2").first().textContent();
  const shares = await page.locator("#reading .share").allTextContents();
  const marks = await page.locator("#reading mark").all();
  return {
    topic: (title ?? "").replace(/^[^:]*: /, ""),
    shares: shares.map((share) => parseFloat(share)),
    entities: await Promise.all(marks.map(async (mark) => ({
      type: await mark.getAttribute("data-type") ?? "",
      text: (await mark.innerText()).replace(/\s\S+ \d+\.\d %$/, ""),
    }))),
  };
}

/** Reads the current comparison. */
export async function readComparison(page: Page): Promise<SeenComparison> {
  const rows = await page.locator("#comparison .hidden-table tr:has(td:not(:empty))").all();
  const notes = await page.locator("#comparison small").allTextContents();
  return {
    cosines: await Promise.all(
      rows.map(async (row) => (await row.locator("td").allTextContents()).map(Number)),
    ),
    lengths: notes.map((note) =>
      [...note.matchAll(/\d[\d.e+-]*/g)].map(([match]) => match)
        .filter((_, i) => i % 2 === 1).map(Number)
    ),
  };
}

/** Selects pooling and normalization and reads the comparison. */
export async function compareBy(
  page: Page,
  pooling: string,
  normalize: string,
): Promise<SeenComparison> {
  await page.locator("#comparison").evaluate((place) => place.replaceChildren());
  await page.locator("#pooling").selectOption(pooling);
  await page.locator("#normalize").selectOption(normalize);
  await page.waitForFunction(
    (by) =>
      document.querySelector("#comparison li") !== null &&
      document.querySelector("#status")?.textContent?.includes(by),
    `${pooling} pooling, normalization ${normalize}`,
  );
  return readComparison(page);
}
