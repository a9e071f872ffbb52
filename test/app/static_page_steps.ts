/**
 * Steps that test the static page in a browser. It must show the same results as the served page, up to the error of
 * eight-bit weights, without an API server.
 * @module
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Browser, Page } from "playwright-core";
import { STATIC_FILES } from "@/app/page/static_files.ts";
import { NORMALIZE_MODES } from "@/config/config.ts";
import { withPage } from "./chromium.ts";
import { compareBy, readText, untilCompared, untilRead } from "./read_page.ts";
import type { StaticHost } from "./static_host.ts";
import { EXAMPLES } from "./served_app.ts";
import type { Steps } from "./steps.ts";

/** Tolerances for eight-bit weights: of probabilities in percentage points, of cosines, and of norms (relative). */
const SHARE = 2, COSINE = 0.02, LENGTH = 0.02;

const TEXTS = [
  ...EXAMPLES,
  "São Paulo, 1999: it's raining — again!",
  `${"The team of Gerdin won the match. ".repeat(12)}Balogandale cheered.`, // longer than the model's maximum length
];

/** Largest absolute difference between two matrices. */
function distance(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  relative = false,
): number {
  deepStrictEqual(a.map((row) => row.length), b.map((row) => row.length));
  return Math.max(
    ...a.flatMap((row, i) =>
      row.map((x, k) => {
        const y = b[i]?.[k] ?? NaN;
        return Math.abs(x - y) / (relative ? Math.abs(y) : 1);
      })
    ),
  );
}

/** Checks that both pages show the same predictions for each text. */
async function readOnBoth(page: Page, other: Page): Promise<void> {
  await untilRead(page, EXAMPLES[0]);
  await untilRead(other, EXAMPLES[0]);
  for (const text of TEXTS) {
    const here = await readText(page, text), there = await readText(other, text);
    deepStrictEqual([here.topic, here.entities], [there.topic, there.entities]);
    const away = distance([here.shares], [there.shares]);
    ok(away < SHARE, `shares of ${text} differ by ${away}`);
  }
}

/** Checks that both pages show the same similarities for each pooling and normalization. */
async function compareOnBoth(page: Page, other: Page): Promise<void> {
  for (const each of [page, other]) {
    await each.getByRole("tab", { name: "Compare" }).click();
    await untilCompared(each, 4);
  }
  const poolings = await page.locator("#pooling option").allTextContents();
  deepStrictEqual(poolings, ["mean", "cls", "cls-token", "max"]);
  for (const pooling of poolings) {
    for (const normalize of pooling === "max" ? NORMALIZE_MODES : ["none"]) {
      const here = await compareBy(page, pooling, normalize);
      const there = await compareBy(other, pooling, normalize);
      const cosine = distance(here.cosines, there.cosines);
      const length = distance(here.lengths, there.lengths, true);
      ok(cosine < COSINE, `${pooling} ${normalize}: cosines differ by ${cosine}`);
      ok(length < LENGTH, `${pooling} ${normalize}: lengths differ by ${length}`);
    }
  }
}

/** Reloads the page with a modified file and returns the error that it shows. */
async function errorOf(
  page: Page,
  { tamper }: StaticHost,
  name: string,
  change: (content: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | null,
): Promise<string> {
  tamper((each, content) => each === name ? change(content) : content);
  await page.reload({ waitUntil: "commit" });
  const words = await page.locator("#problem:visible").innerText();
  tamper((_, content) => content);
  return words;
}

/** Steps for a page on `host`, compared with the served page of the same model at `served`. */
export function staticPageSteps(browser: Browser, host: StaticHost, served: string): Steps {
  const { address } = host;
  return {
    "shows the same results as the served page, using only its own files": () =>
      withPage(browser, address, async ({ page, problems, requests }) => {
        await withPage(browser, served, async ({ page: other }) => {
          await readOnBoth(page, other);
          await compareOnBoth(page, other);
        });
        await page.getByRole("tab", { name: "Read a file" }).click();
        const buffer = Buffer.from(`${EXAMPLES.join("\n")}\n`);
        await page.locator("#file").setInputFiles({
          name: "a.txt",
          mimeType: "text/plain",
          buffer,
        });
        await page.getByText("Read all texts").click();
        await page.getByText("Download a-tiny.csv").waitFor();
        match(await page.locator("#file-result").innerText(), /ag_news: \w+ \d/);
        await page.getByRole("tab", { name: "Report" }).click();
        const report = page.frameLocator("#report iframe");
        await report.getByText("The report").waitFor();
        const policy = await report.locator("meta[http-equiv]").getAttribute("content");
        match(policy ?? "", /^default-src 'none'; style-src 'unsafe-inline'/);
        await page.getByRole("tab", { name: "About" }).click();
        await page.frameLocator("#card iframe").getByText("The card").waitFor();
        await page.getByRole("tab", { name: "API" }).click();
        await page.getByText("This page has no server").waitFor();
        match(
          await page.locator("#api-curl").innerText(),
          /http:\/\/127\.0\.0\.1:8000\/api\/predict/,
        );
        ok(!await page.locator("#run-choice").isVisible(), "there is nothing to select");
        deepStrictEqual(problems, []);
        const names = requests.filter((url) => !url.startsWith("data:")).map((url) =>
          url.startsWith(address) ? url.slice(address.length) : url
        );
        const { page: _, ...others } = STATIC_FILES;
        deepStrictEqual([...new Set(names)].sort(), ["", ...Object.values(others)].sort());
      }),
    "explains problems with its files or the browser": () =>
      withPage(browser, `${address}#text=`, async ({ page }) => {
        const { graph, worker, model, runtime } = STATIC_FILES;
        const code = (text: string) => new TextEncoder().encode(text);
        type Change = Parameters<typeof errorOf>[3];
        const errorAfter = (name: string, change: Change) => errorOf(page, host, name, change);
        const remedy = "upload the page's folder to its server again";
        strictEqual(
          await errorAfter(graph, () => null),
          "Cannot load model.onnx: the server responded with status 404; reload the page to try again",
        );
        match(
          await errorAfter(graph, (content) => content.slice(0, 1000)),
          new RegExp(`^Cannot load model.onnx: it has 1000 bytes instead of \\d+; ${remedy}$`),
        );
        strictEqual(
          await errorAfter(model, () => code("<!doctype html>")),
          `Cannot load model.json: it is not valid JSON; ${remedy}`,
        );
        match(
          await errorAfter(runtime, (content) => content.fill(7)),
          /^Cannot run the model: this browser does not support WebAssembly with SIMD \(".+"\); try a current browser$/,
        );
        strictEqual(
          await errorAfter(
            worker,
            (content) => code(`delete self.WebAssembly;${new TextDecoder().decode(content)}`),
          ),
          "Cannot run the model: this browser does not support WebAssembly; try another browser",
        );
        strictEqual(
          await errorAfter(worker, () => null),
          "Cannot run the model: worker.js failed to load; reload the page to try again",
        );
      }),
  };
}
