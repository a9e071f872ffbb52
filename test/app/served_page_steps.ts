/**
 * Steps that test the behavior of the served page in a browser.
 * @module
 */
/// <reference lib="dom" />
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { LIMITS } from "@/app/contract.ts";
import { withPage } from "./chromium.ts";
import { readComparison, readText, tab, untilCompared, untilRead } from "./read_page.ts";
import type { Steps } from "./steps.ts";
import { EXAMPLES, type Served } from "./served_app.ts";

/** Text that would execute if it were inserted as HTML. */
const HOSTILE =
  `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> of Paris & "Rome"`;

/** Returns the selected tab, and checks that exactly one tab is selected and exactly its panel is shown. */
async function shownTab(page: Page): Promise<string> {
  const selected = await page.locator('[role="tab"][aria-selected="true"]').allTextContents();
  const shown = await page.locator('[role="tabpanel"]:visible').all();
  const panels = await Promise.all(shown.map((panel) => panel.getAttribute("aria-labelledby")));
  const ids = await page.locator('[role="tab"][tabindex="0"]').evaluateAll((tabs) =>
    tabs.map(({ id }) => id)
  );
  deepStrictEqual(panels, ids);
  strictEqual(selected.length, 1);
  return selected[0] ?? "";
}

/** Steps for a running server; the last one stops it. */
export function servedPageSteps(
  browser: Browser,
  { address, state, runs: { tiny }, stop }: Served,
): Steps {
  const { service } = tiny;
  return {
    "shows the first example at once, and then the typed text": () =>
      withPage(browser, address, async ({ page, problems, requests }) => {
        await untilRead(page, EXAMPLES[0]);
        const text = EXAMPLES[1];
        const seen = await readText(page, text);
        const [own] = await service.predict([text]);
        const label = own?.labels.ag_news;
        deepStrictEqual(seen, {
          topic: label?.label,
          shares: Object.values(label?.probabilities ?? {}).map((p) =>
            Number((100 * p).toFixed(1))
          ),
          entities: own?.entities.conll2003?.map(({ type, text }) => ({ type, text })),
        });
        strictEqual(seen.topic, "Business");
        ok(seen.entities.some(({ text }) => text === "Kelvanta"), "an entity is marked");
        match(
          await page.locator("#status").innerText(),
          /^ag_news: Business \d+\.\d %, conll2003: \d entit.+ · \d+\.\d ms$/,
        );
        await page.locator("#text-examples button").nth(2).click();
        await untilRead(page, EXAMPLES[2]);
        deepStrictEqual(problems, []);
        deepStrictEqual(
          requests.filter((url) => !url.startsWith(address) && !/^data:/.test(url)),
          [],
        );
      }),
    "updates its URL once after typing, and works if the browser rejects that": () =>
      withPage(browser, address, async ({ page, problems }) => {
        await untilRead(page, EXAMPLES[0]);
        await page.evaluate(() => {
          const replace = history.replaceState.bind(history), links: unknown[] = [];
          Object.assign(globalThis, { links });
          history.replaceState = (state, title, url) => {
            links.push(url);
            replace(state, title, url);
          };
          const text = document.querySelector("textarea");
          for (let i = 0; i < 20; i++) text?.dispatchEvent(new InputEvent("input"));
        });
        await readText(page, "A bank fell.");
        const links = await page.evaluate<string[]>("links");
        strictEqual(links.at(-1), "/#text=A+bank+fell.");
        ok(links.length <= 2, `${links.length} links`);
        await page.getByText("Skip to content").focus();
        await page.keyboard.press("Enter");
        await page.waitForURL(/#main$/);
        strictEqual(await page.locator("#text").inputValue(), "A bank fell.");
        await page.evaluate(() => {
          history.replaceState = () => {
            throw new DOMException("too many calls", "SecurityError");
          };
        });
        await readText(page, "A bank rose.");
        deepStrictEqual(problems, []);
      }),
    "shows hostile text as text, typed or in a link": () =>
      withPage(browser, `${address}#text=${encodeURIComponent(HOSTILE)}`, async ({ page }) => {
        await untilRead(page, HOSTILE);
        await readText(page, `${HOSTILE} again`);
        await tab(page, "Compare").click();
        await page.locator("#sentences").fill(`${HOSTILE}\n${HOSTILE}`);
        await untilCompared(page, 2);
        match(await page.locator("#comparison li").first().innerText(), /^<img src=x/);
        deepStrictEqual(
          await page.evaluate(() => [document.images.length, "hacked" in globalThis]),
          [0, false],
        );
      }),
    "has tabs that can be changed with the keyboard": () =>
      withPage(browser, address, async ({ page }) => {
        await tab(page, "Read a text").focus();
        const seen: string[] = [];
        for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "Home", "End", "ArrowRight"]) {
          await page.keyboard.press(key);
          seen.push(await shownTab(page));
        }
        const [read, file, compare, about] = [
          "Read a text",
          "Read a file",
          "Compare sentences",
          "About",
        ];
        deepStrictEqual(seen, [file, compare, file, read, about, read]);
        strictEqual(await page.evaluate(() => document.activeElement?.id), "tab-read");
      }),
    "compares sentences with each pooling and normalization, and a link restores the comparison":
      () =>
        withPage(browser, `${address}#tab=compare`, async ({ page, problems }) => {
          await untilCompared(page, 4);
          const before = await readComparison(page);
          deepStrictEqual(before.cosines.map((row, i) => row[i]), [1, 1, 1, 1]);
          await page.locator("#sentences").fill("One bank.\nTwo coaches.\nThree banks.");
          await page.locator("#pooling").selectOption("max");
          await page.locator("#normalize").selectOption("l1");
          await untilCompared(page, 3);
          await page.waitForFunction(() =>
            document.querySelector("#comparison small")?.textContent?.startsWith("L1 norm 1.00")
          );
          const seen = await readComparison(page);
          ok(seen.lengths.every(([l1, l2]) => l1 === 1 && (l2 ?? 0) < 1));
          await withPage(browser, page.url(), async ({ page: other }) => {
            await untilCompared(other, 3);
            deepStrictEqual(await readComparison(other), seen);
            strictEqual(await shownTab(other), "Compare sentences");
            strictEqual(await other.locator("#pooling").inputValue(), "max");
          });
          match(
            await page.locator("#comparison .note").innerText(),
            /^Cosine similarity does not depend on norm/,
          );
          await page.locator("#similarity").selectOption("dot");
          await page.getByText("The dot product depends on normalization").waitFor();
          const { cosines: products, lengths } = await readComparison(page);
          for (const [i, [, l2 = NaN]] of lengths.entries()) {
            const product = products[i]?.[i] ?? NaN;
            ok(Math.abs(product / l2 ** 2 - 1) < 0.02, `${product} is not the square of ${l2}`);
          }
          const all = products.flat();
          deepStrictEqual((await page.locator(".legend").innerText()).split(/\s+/).map(Number), [
            Math.min(...all),
            Math.max(...all),
          ]);
          ok(
            Math.max(...all) < 0.1 && new Set(all).size > 2,
            "small numbers differ from one another",
          );
          match(page.url(), /&similarity=dot$/);
          match(await page.locator("#status").innerText(), /compared by dot product, max pooling/);
          const offered = await page.locator("#pooling option").allTextContents();
          deepStrictEqual(offered, service.info.poolings);
          deepStrictEqual(problems, []);
        }),
    "shows the report, or a message if there is none": () =>
      withPage(browser, `${address}#tab=report`, async ({ page }) => {
        await page.frameLocator("#report iframe").getByText("The report").waitFor();
        state.run = { ...tiny, report: null };
        await page.reload();
        await page.getByText("This run has no report: deno task report writes one.").waitFor();
        state.run = tiny;
      }),
    "announces each stage of the model's preparation once": async () => {
      const { waiting } = state;
      state.run = null;
      await withPage(browser, address, async ({ page }) => {
        await page.getByText("Getting ready: train.").waitFor();
        const bar = page.getByRole("progressbar");
        deepStrictEqual([await bar.getAttribute("value"), await bar.getAttribute("max")], [
          "3",
          "10",
        ]);
        await page.evaluate(() => {
          const said: string[] = [];
          Object.assign(globalThis, { said });
          const status = document.querySelector("#status") ?? document.body;
          new MutationObserver(() => said.push(status.textContent ?? ""))
            .observe(status, { childList: true, characterData: true, subtree: true });
        });
        state.waiting = { status: "starting", label: "train", done: 4, total: 10 };
        await page.locator('progress[value="4"]').waitFor();
        deepStrictEqual(await page.evaluate("said"), []);
        await page.route("**/api/health/live", (route) => route.abort());
        await page.getByRole("alert").getByText("Cannot reach the server").waitFor();
        state.run = tiny;
        await page.unroute("**/api/health/live");
        await untilRead(page, EXAMPLES[0]);
        ok(!await bar.isVisible());
        ok(!await page.getByRole("alert").isVisible());
        state.waiting = waiting;
      });
    },
    "says which part of a long text is not read": () =>
      withPage(browser, address, async ({ page }) => {
        const { maxLength } = service.info;
        const topic = `For ag_news only the first ${maxLength - 2} tokens are read.`;
        const long = "Banks ".repeat(700);
        await page.locator("#text").fill(long);
        await untilRead(page, long.slice(0, LIMITS.characters));
        const notes = page.locator("#reading .note");
        deepStrictEqual(await notes.allTextContents(), [
          "Only the first 4,000 of 4,200 characters are read.",
          topic,
        ]);
        strictEqual(await page.locator("#text").inputValue(), long);
        await readText(page, "Banks ".repeat(maxLength - 1));
        deepStrictEqual(await notes.allTextContents(), [topic]);
        await readText(page, "Banks ".repeat(maxLength - 2));
        deepStrictEqual(await notes.allTextContents(), []);
      }),
    "explains errors: a sentence that is too long, a stopped server": () =>
      withPage(browser, address, async ({ page }) => {
        await untilRead(page, EXAMPLES[0]);
        const alert = page.getByRole("alert");
        await tab(page, "Compare").click();
        await untilCompared(page, 4);
        await page.locator("#sentences").fill(`a\n${"b".repeat(LIMITS.characters + 1)}`);
        await alert.getByText(
          "Sentence 2 is too long: it has 4001 characters, at most 4000 are allowed",
        ).waitFor();
        await tab(page, "Read a text").click();
        await untilRead(page, EXAMPLES[0]);
        ok(!await alert.isVisible(), "the message disappears with its cause");
        await stop();
        await page.locator("#text").fill("Anybody there?");
        await alert.getByText("Cannot reach the server: start it again").waitFor();
        strictEqual(await page.locator("#reading").innerText(), "");
        for (const [name, frame] of [["Report", "#report"], ["About", "#card"]] as const) {
          await tab(page, name).click();
          await page.locator(frame).getByText("Cannot reach the server: start it again").waitFor();
        }
      }),
  };
}
