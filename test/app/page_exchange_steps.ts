/**
 * Steps that test the served page: switching runs, history, clipboard, links and files.
 * @module
 */
/// <reference lib="dom" />
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Browser, Page } from "playwright-core";
import { parseCsv } from "@/app/page/page_csv.ts";
import { withPage } from "./chromium.ts";
import { readText, tab, untilCompared, untilRead } from "./read_page.ts";
import { EXAMPLES, type Served } from "./served_app.ts";
import type { Steps } from "./steps.ts";

/** Selects a file in the page's file input. */
const upload = (page: Page, name: string, text: string) =>
  page.locator("#file").setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });

/** Clicks a button and returns the content of the clipboard. */
async function copied(page: Page, button: string): Promise<string> {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.locator(button).click();
  await page.getByText("Copied.").waitFor();
  return await page.evaluate(() => navigator.clipboard.readText());
}

/** Steps for a running server. */
export function pageExchangeSteps(
  browser: Browser,
  { address, runs: { tiny, other }, replaceService }: Served,
): Steps {
  return {
    "goes back through tabs and examples, and keeps typed text": () =>
      withPage(browser, address, async ({ page }) => {
        await untilRead(page, EXAMPLES[0]);
        await readText(page, "A bank fell.");
        await page.locator("#text-examples button").nth(2).click();
        await untilRead(page, EXAMPLES[2]);
        await tab(page, "Compare").click();
        await untilCompared(page, 4);
        await page.locator("#sentences").fill("One.\nTwo.");
        await untilCompared(page, 2);
        await tab(page, "Use via API").click();
        await page.waitForURL(/#tab=api&text=Researchers.*&sentences=One\.%0ATwo\.$/);
        await page.goBack();
        await untilCompared(page, 2);
        await page.goBack();
        await untilRead(page, EXAMPLES[2]);
        strictEqual(await tab(page, "Read a text").getAttribute("aria-selected"), "true");
        await page.goBack();
        await untilRead(page, "A bank fell.");
        await page.goForward();
        await untilRead(page, EXAMPLES[2]);
      }),
    "shows its tasks, and filters entities by the types of the legend": () =>
      withPage(browser, address, async ({ page }) => {
        await untilRead(page, EXAMPLES[0]);
        match(await page.locator("#reading h2").first().innerText(), /^ag_news: (World|Sports)$/);
        const { entities } = await readText(page, EXAMPLES[1]);
        const type = entities[0]?.type ?? "";
        const same = entities.filter((entity) => entity.type === type).length;
        const buttons = page.locator(".types button");
        deepStrictEqual(
          (await buttons.allInnerTexts()).map((text) => text.split(/\s/)[0]),
          ["PER", "ORG", "LOC", "MISC"],
        );
        const button = buttons.filter({ hasText: type });
        strictEqual(await button.getAttribute("aria-pressed"), "true");
        await button.focus();
        await page.keyboard.press("Enter");
        strictEqual(await button.getAttribute("aria-pressed"), "false");
        strictEqual(await page.locator("mark").count(), entities.length - same);
        match(
          await page.locator("#reading h2").last().innerText(),
          new RegExp(`, ${same} hidden$`),
        );
        await untilRead(page, EXAMPLES[1]); // the text itself is unchanged
        await readText(page, `${EXAMPLES[1]} Again.`);
        strictEqual(await page.locator(`mark[data-type="${type}"]`).count(), 0, "it stays hidden");
      }),
    "shows right-to-left text from right to left": () =>
      withPage(browser, address, async ({ page }) => {
        const directions = (place: string) =>
          page.locator(place).evaluateAll((all) =>
            all.map((each) => getComputedStyle(each).direction)
          );
        await readText(page, "أعلنت شركة سيمنز في برلين عن أرباحها.");
        for (const place of ["#text", "#reading .marked"]) {
          deepStrictEqual(await directions(place), ["rtl"], place);
        }
        await tab(page, "Compare").click();
        await page.locator("#sentences").fill("שלום עולם.\nHello.");
        await untilCompared(page, 2);
        deepStrictEqual(await directions("#comparison li > span"), ["rtl", "ltr"]);
        ok((await directions("mark small")).every((direction) => direction === "ltr"));
      }),
    "switches runs without a restart, and marks the one trained on generated sentences": () =>
      withPage(browser, address, async ({ page, problems }) => {
        await untilRead(page, EXAMPLES[0]);
        const banner = page.locator("#banner");
        ok(!await banner.isVisible());
        deepStrictEqual(await page.locator("#run option").allTextContents(), [
          "tiny",
          "other",
          "broken",
        ]);
        await page.getByLabel("Run").selectOption("other");
        await untilRead(page, "Another example.");
        match(await banner.innerText(), /trained on the built-in sample: generated sentences/);
        match(await page.locator("#about").innerText(), /^Run other: /);
        match(page.url(), /#run=other$/);
        deepStrictEqual(await page.locator("#text-examples button").allTextContents(), [
          "Another example.",
        ]);
        await page.goBack();
        await untilRead(page, EXAMPLES[0]);
        ok(!await banner.isVisible());
        deepStrictEqual(problems, []);
        await page.goto(`${address}#run=gone`);
        await page.reload();
        await page.getByText('There is no run "gone": choose one of tiny, other, broken').waitFor();
        await readText(page, "A bank fell.");
        await page.getByLabel("Run").selectOption("broken");
        await page.getByText("Cannot open run broken: see the server's terminal for the reason")
          .waitFor();
        strictEqual(await page.getByLabel("Run").inputValue(), "tiny");
      }),
    "copies the result and a link that reproduces the view": () =>
      withPage(browser, address, async ({ page }) => {
        await untilRead(page, EXAMPLES[0]);
        const [right] = await tiny.service.predict([EXAMPLES[0]]);
        deepStrictEqual(
          JSON.parse(await copied(page, "#copy-reading")),
          JSON.parse(JSON.stringify(right)),
        );
        const link = new URLSearchParams(
          new URL(await copied(page, "#link-reading")).hash.slice(1),
        );
        deepStrictEqual([...link.keys()], ["run", "text", "sentences"]);
        deepStrictEqual([link.get("run"), link.get("text")], ["tiny", EXAMPLES[0]]);
        await tab(page, "Compare").click();
        await untilCompared(page, 4);
        const { sentences, pooling, embeddings } = JSON.parse(
          await copied(page, "#copy-comparison"),
        );
        deepStrictEqual([sentences, pooling, embeddings.length], [EXAMPLES, "mean", 4]);
      }),
    "shows and copies example programs with its own address and the current text": () =>
      withPage(browser, address, async ({ page }) => {
        await untilRead(page, EXAMPLES[0]);
        await readText(page, "It's a bank.");
        await tab(page, "Use via API").click();
        const code = page.locator("#api-curl");
        match(await code.innerText(), new RegExp(`'${address}api/predict'`));
        match(await code.innerText(), /"text":"It'\\''s a bank\."/);
        for (const id of ["typescript", "python"]) {
          match(await page.locator(`#api-${id}`).innerText(), /"text": "It's a bank\."/);
        }
        strictEqual(
          await copied(page, 'section[aria-label="curl"] button'),
          await code.innerText(),
        );
        await page.getByLabel("Endpoint").selectOption("encode");
        match(await code.innerText(), /api\/encode[^]*"pooling":"mean"/);
        const openapi = await page.locator("#openapi").getAttribute("href");
        strictEqual(openapi, `${address}api/openapi.json`);
      }),
    "predicts the texts of a table and offers it for download": () =>
      withPage(browser, `${address}#tab=file`, async ({ page, problems }) => {
        const rows = EXAMPLES.map((text, i) => `${i + 1};"${text}"`);
        await upload(page, "my texts.csv", ["id;text", ...rows, "5;"].join("\r\n"));
        await page.getByText("my texts.csv: 5 rows, 2 columns").waitFor();
        strictEqual(await page.getByLabel("Text column").inputValue(), "1");
        const download = page.waitForEvent("download");
        await page.getByText("Read all texts").click();
        await page.getByText("Download my texts-tiny.csv").click();
        const path = await (await download).path();
        const table = parseCsv(await Deno.readTextFile(path));
        const right = await tiny.service.predict(EXAMPLES);
        deepStrictEqual(table.rows[0], [
          "id",
          "text",
          "predicted_ag_news",
          "predicted_ag_news_probability",
          "predicted_conll2003",
        ]);
        deepStrictEqual(
          table.rows.slice(1).map((row) => [row[0], row[1], row[2], row[4]]),
          [
            ...right.map(({ text, labels, entities }, i) => [
              String(i + 1),
              text,
              labels["ag_news"]?.label,
              JSON.stringify(entities["conll2003"]),
            ]),
            ["5", "", "", ""],
          ],
        );
        match(
          await page.locator("#file-result").innerText(),
          /1 blank text without a prediction\./,
        );
        deepStrictEqual(problems, []);
        await upload(page, "broken.csv", "id,text\n1,Hello, world\n");
        await page.getByText("the row at line 2 has 3 cells, but the first row has 2").waitFor();
      }),
    "shows the progress of a file, and stops when canceled": () =>
      withPage(browser, `${address}#tab=file`, async ({ page }) => {
        const second = Promise.withResolvers<void>();
        let asked = 0;
        replaceService({
          async predict(texts, signal) {
            if (++asked === 2) await second.promise;
            return await tiny.service.predict(texts, signal);
          },
        });
        await upload(page, "long.txt", "A bank fell.\n".repeat(48));
        await page.getByText("long.txt: 48 rows").waitFor();
        await page.getByText("Read all texts").click();
        await page.getByText("16 of 48 texts read").waitFor();
        const bar = page.getByRole("progressbar", { name: "Texts read" });
        deepStrictEqual([await bar.getAttribute("value"), await bar.getAttribute("max")], [
          "16",
          "48",
        ]);
        await page.getByText("Cancel", { exact: true }).click();
        await page.locator("#file-facts").getByText("Canceled after 16 of 48 texts.").waitFor();
        second.resolve();
        ok(!await bar.isVisible());
        strictEqual(await page.locator("#file-result a").count(), 0);
        replaceService();
        await page.getByText("Read all texts").click();
        await page.getByText("Download long-tiny.csv").waitFor();
      }),
    "shows facts about its model, and the card of the run": () =>
      withPage(browser, `${address}#tab=about`, async ({ page }) => {
        await page.frameLocator("#card iframe").getByText("The card").waitFor();
        const facts = await page.locator("#facts").innerText();
        match(facts, /Task ag_news\s+classification: World, Sports, Business, Sci\/Tech/);
        ok(!/built-in sample/.test(facts));
        await page.getByLabel("Run").selectOption(other.service.info.run);
        await page.locator("#facts").getByText("the built-in sample of generated sentences")
          .waitFor();
      }),
  };
}
