/**
 * Steps that test the appearance and accessibility of the served page.
 * @module
 */
/// <reference lib="dom" />
import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { withPage } from "./chromium.ts";
import { tab, untilCompared, untilRead } from "./read_page.ts";
import { EXAMPLES } from "./served_app.ts";
import type { Steps } from "./steps.ts";

/** Accessibility violations found by axe-core, once no request is running: the page is dimmed during requests. */
async function findViolations(page: Page): Promise<readonly string[]> {
  await page.waitForFunction(() => document.querySelector('.results[aria-busy="true"]') === null);
  await page.evaluate(axe.source);
  const run = "axe.run(document, { iframes: false })";
  const { violations } = await page.evaluate<axe.AxeResults>(run);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Elements that overflow: the page its window, or the tabs their row. */
const findOverflows = (page: Page) =>
  page.evaluate(() =>
    ["html", '[role="tablist"]'].filter((place) => {
      const { scrollWidth = NaN, clientWidth = NaN } = document.querySelector(place) ?? {};
      return !(scrollWidth <= clientWidth);
    })
  );

/** The largest number of sentences that the page compares. */
const CROWD = Array.from({ length: 12 }, (_, i) => `Sentence ${i + 1} is of a bank.`).join("\n");

/** Steps for the page at an address. */
export function pageLookSteps(browser: Browser, address: string): Steps {
  return {
    "fits a phone and is accessible, in the light and dark theme": async () => {
      const papers: string[] = [];
      for (const [colorScheme, width] of [["light", 360], ["dark", 400]] as const) {
        await withPage(browser, address, async ({ page }) => {
          await untilRead(page, EXAMPLES[0]);
          papers.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
          for (const name of ["Report", "About", "API", "Read a file", "Compare", "Read a text"]) {
            await tab(page, name).click();
            if (name === "Compare") {
              await untilCompared(page, 4);
              const numbers = page.locator('#comparison svg [aria-label="text"]');
              ok(await numbers.isVisible());
              await page.locator("#sentences").fill(CROWD);
              await untilCompared(page, 12);
              ok(!await numbers.isVisible(), "numbers too small to read");
            }
            deepStrictEqual([name, await findOverflows(page)], [name, []]);
            const barriers = name === "Report" ? [] : await findViolations(page);
            deepStrictEqual([name, barriers], [name, []]);
          }
          await page.evaluate(() => document.body.append(document.createElement("button")));
          match((await findViolations(page)).join(), /^button-name: /); // the check itself detects a violation
        }, { width, colorScheme });
      }
      notStrictEqual(papers[0], papers[1]);
    },
    "shows tabs and probability bars in forced colors": () =>
      withPage(browser, address, async ({ page }) => {
        await untilRead(page, EXAMPLES[0]);
        await page.emulateMedia({ forcedColors: "active" });
        const seen = await page.evaluate(() => {
          const style = (place: string) => {
            const element = document.querySelector(place);
            if (element === null) throw new TypeError(`internal: no ${place}`);
            return getComputedStyle(element);
          };
          return {
            paper: style("body").backgroundColor,
            unselected: style("#tab-report").borderBottomColor,
            selected: style("#tab-read").borderBottomColor,
            bar: style(".bar span").backgroundColor,
          };
        });
        strictEqual(seen.unselected, seen.paper);
        notStrictEqual(seen.selected, seen.paper);
        notStrictEqual(seen.bar, seen.paper);
        await tab(page, "Compare").click();
        await untilCompared(page, 4);
        const legend = page.locator(".legend .colors");
        match(
          await legend.evaluate((bar) => getComputedStyle(bar).backgroundImage),
          /^linear-grad/,
        );
        strictEqual(
          await legend.evaluate((bar) => getComputedStyle(bar).forcedColorAdjust),
          "none",
        );
      }),
  };
}
