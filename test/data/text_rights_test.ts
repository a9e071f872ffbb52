import { strictEqual } from "node:assert/strict";
import { mayShowTexts } from "@/data/text_rights.ts";

Deno.test("mayShowTexts() is false for data sets whose license forbids it, for any owner", () => {
  for (
    const dataset of ["ag_news", "fancyzhx/ag_news", "conll2003", "tner/conll2003", "conllpp"]
  ) {
    strictEqual(mayShowTexts({ dataset }, null), false, dataset);
    strictEqual(mayShowTexts({ dataset }, "my/data"), false, dataset);
    strictEqual(mayShowTexts({ dataset }, "sample"), true, dataset);
  }
  for (const dataset of ["tickets", "me/reviews", "daily_news"]) {
    strictEqual(mayShowTexts({ dataset }, "my/data"), true, dataset);
    strictEqual(mayShowTexts({ dataset }, null), true, dataset);
  }
});
