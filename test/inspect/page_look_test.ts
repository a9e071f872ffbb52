import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import axe from "axe-core";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { openEngine } from "@/engine/engine.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { inspectBuiltIn } from "@/inspect/functions.ts";
import { renderInspection } from "@/inspect/page.ts";
import { findChromium, withBrowser, withPage } from "../app/chromium.ts";

const chromium = await findChromium();

Deno.test({
  name: "the page of an inspection is accessible, fits phones and screens, and highlights a group",
  ignore: chromium === null || findCompiler() === null,
  async fn(t) {
    ok(chromium !== null);
    await openEngine({ executor: "native", threads: 1 });
    const folder = await Deno.makeTempDir();
    const path = join(folder, "encode.html");
    await Deno.writeTextFile(path, renderInspection("encode", await inspectBuiltIn("encode")));
    const address = pathToFileURL(path).href;
    await withBrowser(chromium, async (browser) => {
      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of [390, 1400]) {
          await t.step(
            `no violation and no sideways scrolling at ${width} in ${colorScheme}`,
            () =>
              withPage(browser, address, async ({ page, problems, requests }) => {
                await page.evaluate(axe.source);
                const { violations } = await page.evaluate<axe.AxeResults>("axe.run()");
                deepStrictEqual(
                  violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
                  [],
                );
                const widths = "[document.documentElement.scrollWidth, innerWidth]";
                const [needed, given] = await page.evaluate<number[]>(widths);
                strictEqual(needed, given);
                deepStrictEqual(problems, []);
                deepStrictEqual(requests, [address], "it is self-contained");
              }, { width, colorScheme }),
          );
        }
      }
      await t.step(
        "pointing at the time of a group highlights it and its operations, no other",
        () =>
          withPage(browser, address, async ({ page }) => {
            await page.locator("#p0-t3").hover();
            const lit = await page.evaluate<string[]>(
              "[...document.querySelectorAll('.lit')].map(({ dataset }) => dataset.group)",
            );
            ok(lit.length >= 4, `operations, group, instruction and time: ${lit.length}`);
            ok(lit.every((groups) => groups.split(" ").includes("p0-g3")), lit.join(", "));
          }),
      );
      await t.step(
        "a link to a folded node opens its graph",
        () =>
          withPage(browser, `${address}#p0-traced-n4`, async ({ page }) => {
            await page.locator("#p0-traced-n4").waitFor({ state: "visible" });
          }),
      );
    });
    await Deno.remove(folder, { recursive: true });
  },
});
