import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { frameFigure } from "@/report/figures/frame.ts";
import { HOVER_STYLE, hoverLayer } from "@/report/figures/hover_layer.ts";
import { validationCurve } from "@/report/figures/training_figures.ts";
import type { EvaluateLine } from "@/train/run_folder.ts";

/** Draws columns at 1 to `count` between 0 and `count`, 100 units wide. */
function draw(count: number): string {
  const columns = Array.from({ length: count }, (_, i) => ({
    x: i + 1,
    lines: [{ text: `Step <${i + 1}>` }, { text: "a 0.5", color: "#0072b2" }],
  }));
  const plot = {
    height: 80,
    width: 100,
    margin: 0,
    x: { domain: [0, count] },
    marks: [hoverLayer(columns)],
  };
  return frameFigure({ title: "t", alt: "a", plot: [plot] }).svg;
}

const bands = (svg: string) =>
  [...svg.matchAll(/<rect [^>]*pointer-events="all"[^>]*>/g)].map(([tag]) => {
    const number = (name: string) => Number(new RegExp(` ${name}="([^"]+)"`).exec(tag)?.[1]);
    return [number("x"), number("width")];
  });

Deno.test("hoverLayer() draws a band per column that extends halfway to its neighbors", () => {
  const svg = draw(4); // columns at 25, 50, 75 and 100
  deepStrictEqual(bands(svg), [[0, 37.5], [37.5, 25], [62.5, 25], [87.5, 12.5]]);
  match(svg, /Step &lt;1&gt;/);
});

Deno.test("hoverLayer() is invisible without the page's style sheet", () => {
  strictEqual(draw(4).match(/<g [^>]*opacity="0"[^>]*class="tip"/g)?.length, 4);
  ok(HOVER_STYLE.includes(".hover:hover .tip { opacity: 1; }"));
});

Deno.test("hoverLayer() draws at most 60 bands, including the last column", () => {
  const svg = draw(130);
  ok(bands(svg).length <= 60 && bands(svg).length >= 40, String(bands(svg).length));
  ok(svg.includes("Step &lt;130&gt;"));
});

const evaluation = (step: number, f1: number): EvaluateLine => ({
  kind: "evaluate",
  step,
  split: "validation",
  seconds: 1,
  scores: {
    names: {
      rows: 1,
      f1,
      precision: f1,
      recall: f1,
      strictF1: f1,
      strictPrecision: f1,
      strictRecall: f1,
      tokenAccuracy: 1,
      interval: [0, 1],
      perType: {},
    },
  },
});

Deno.test("validationCurve() shows main scores by step; null for a single evaluation", () => {
  strictEqual(validationCurve([evaluation(5, 0.5)]), null);
  const figure = validationCurve([evaluation(5, 0.5), evaluation(10, 0.75)]);
  strictEqual(
    figure?.alt,
    "Main score of each task on validation by training step: names: entity F1 from 50.00 % to 75.00 %.",
  );
  ok(figure?.svg.includes("names: entity F1 75.00 %"), "a value to hover over");
});
