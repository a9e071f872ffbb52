import { join } from "node:path";
import { writeStaticPage } from "@/app/write_static_page.ts";
import { textModelOf } from "@/eval/text_model.ts";
import { findChromium, withBrowser } from "./chromium.ts";
import { pageExchangeSteps } from "./page_exchange_steps.ts";
import { pageLookSteps } from "./page_look_steps.ts";
import { CARD, FACTS, REPORT, withServedModel } from "./served_app.ts";
import { servedPageSteps } from "./served_page_steps.ts";
import { withStaticHost } from "./static_host.ts";
import { staticPageSteps } from "./static_page_steps.ts";
import { runSteps } from "./steps.ts";
import { withTrainedModel } from "./trained_run.ts";

const chromium = await findChromium();
if (chromium === null) {
  console.error(
    "Chromium was not found: the tests of the page are skipped (set CHROMIUM to its path)",
  );
}

Deno.test({
  name: "the demo page in Chromium",
  ignore: chromium === null,
  // the browser stays open between steps
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(test) {
    await withTrainedModel(async (saved, folder) => {
      const out = join(folder, "page");
      await writeStaticPage(
        { model: textModelOf(saved), facts: FACTS, report: REPORT, card: CARD },
        out,
      );
      await withBrowser(chromium ?? "", async (browser) => {
        await withServedModel(saved, async (served) => {
          await withStaticHost(out, async (host) => {
            await runSteps(test, {
              ...staticPageSteps(browser, host, served.address),
              ...pageLookSteps(browser, served.address),
              ...pageExchangeSteps(browser, served),
              ...servedPageSteps(browser, served), // their last step stops the server
            });
          });
        });
      });
    });
  },
});
