import { match, strictEqual } from "node:assert/strict";
import { countBars, lengthHistograms, paddingBars } from "@/report/figures/data_figures.ts";

Deno.test("lengthHistograms() reports medians and 95th percentiles as integers", () => {
  const lengths = Array.from({ length: 100 }, (_, i) => i + 1);
  const { alt, svg } = lengthHistograms([{ name: "news", lengths }], { unit: "word pieces" });
  // 50.5 and 95.05
  strictEqual(alt, "news: median 51, 95th percentile 95 word pieces.");
  match(svg, /Length \(word pieces\)/);
});

Deno.test("countBars() and paddingBars() show their numbers", () => {
  const bars = countBars([{ name: "LOC", count: 1234 }, { name: "PER", count: 7 }], {
    title: "Entities",
    unit: "Entities",
  });
  strictEqual(bars.alt, "LOC 1,234, PER 7.");
  match(bars.svg, />1,234</);
  const padding = paddingBars([{ name: "sorted", tokens: 200, paddedTokens: 250 }]);
  strictEqual(padding.alt, "sorted +25 %.");
  match(padding.svg, /Tokens per epoch/);
});
