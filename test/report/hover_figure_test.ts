import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readRun } from "@/report/readers/read_run.ts";
import { DISPLAY } from "@/report/figures/figure.ts";
import { frameFigure } from "@/report/figures/frame.ts";
import { hoverFigure } from "@/report/figures/hover_figure.ts";
import { intervalDots } from "@/report/figures/interval_dots.ts";
import { scoreDots } from "@/report/figures/score_figures.ts";
import { cosineHistograms, embeddingMaps } from "@/report/figures/embedding_figures.ts";
import { lossComparison } from "@/report/figures/interactive_figures.ts";

const PNG = "iVBORw0KGgo"; // first bytes of a PNG in base64

Deno.test("hoverFigure() displays as a bundle of Vega-Lite, Markdown, PNG and text", async () => {
  const figure = await hoverFigure({
    width: 100,
    height: 80,
    data: { values: [{ a: 1, b: 2 }, { a: 3, b: 4 }] },
    mark: "point",
    encoding: {
      x: { field: "a", type: "quantitative" },
      y: { field: "b", type: "quantitative" },
    },
  }, { title: "Two points", alt: "They rise." });
  const shown = figure[DISPLAY]();
  deepStrictEqual(Object.keys(shown), [
    "application/vnd.vegalite.v5+json",
    "text/markdown",
    "image/png",
    "text/plain",
  ]);
  ok(String(shown["image/png"]).startsWith(PNG));
  strictEqual(shown["text/plain"], "Two points. They rise.");
  strictEqual(figure.spec.$schema, "https://vega.github.io/schema/vega-lite/v5.json");
  match(figure.figure.svg, /Two points/);
  match(
    String(shown["text/markdown"]),
    /^<img alt="Two points\. They rise\." width="\d+" height="\d+" src="data:/,
  );
});

Deno.test("hoverFigure() has the style of the other figures: font, sizes, axis arrows, legend below", async () => {
  const { spec, figure: { svg } } = await hoverFigure({
    width: 100,
    height: 80,
    data: { values: [{ a: 1, b: 2, c: "one" }] },
    mark: "point",
    encoding: {
      x: { field: "a", type: "quantitative", title: "Step" },
      y: { field: "b", type: "quantitative", title: "Loss" },
      color: { field: "c", type: "nominal", title: "Run" },
    },
  }, { title: "t", subtitle: "Dots.", alt: "a" });
  const framed = frameFigure({
    title: "t",
    alt: "a",
    plot: { height: 40, x: { label: "Step", domain: [0, 1] }, marks: [] },
  });
  const pick = (text: string, pattern: RegExp) => pattern.exec(text)?.[1];
  const fonts = [framed.svg, svg].map((text) => pick(text, /font-family="([^"]+)"/));
  strictEqual(fonts[0], fonts[1]);
  for (const text of ["Step →", "↑ Loss", "Dots.", "one"]) ok(svg.includes(`>${text}<`), text);
  ok(!svg.includes(">Run<"), "legends have no title");
  ok(framed.svg.includes(">Step →<"), "the premise: Plot writes the arrow");
  deepStrictEqual([spec.config?.legend?.orient, spec.config?.font], ["bottom", fonts[0]]);
});

Deno.test("lossComparison() describes the final loss of each run and keeps every point", async () => {
  const line = (step: number, loss: number) => ({
    kind: "train" as const,
    step,
    epoch: 1,
    losses: { topics: loss },
    gradientNorm: 1,
    rate: 1,
    tokens: 1,
    seconds: 1,
  });
  const figure = await lossComparison([
    { name: "one", record: { train: [line(10, 1.4), line(20, 0.5)] } },
    { name: "two", record: { train: [line(10, 1.3)] } },
  ], "topics");
  match(figure.figure.alt, /one ends at 0\.500, two ends at 1\.300/);
  const { data } = figure.spec;
  ok(data && "values" in data && Array.isArray(data.values));
  strictEqual(data.values.length, 3);
});

Deno.test("intervalDots() describes values and intervals in the unit of the axis", async () => {
  const run = { name: "run", record: await readRun("outputs/minilm-float32") };
  const [topics, entities] = scoreDots([run], "test");
  deepStrictEqual([topics?.name, topics?.group, entities?.group], ["run", "ag_news", "conll2003"]);
  strictEqual(topics?.value.toFixed(4), "0.9317"); // as README says
  deepStrictEqual(scoreDots([run], "no such split"), []);
  const dots = [{ name: "run", group: "t", value: 0.5, interval: [0.25, 0.75] as const }];
  const figure = intervalDots([...dots, { name: "bare", group: "t", value: 0.9 }], {
    title: "Scores",
    subtitle: "of a test",
    x: "Accuracy (%)",
  });
  strictEqual(figure.alt, "run: 50.0 (25.0 to 75.0); bare: 90.0.");
  match(figure.svg, /Accuracy \(%\)/);
});

Deno.test("cosineHistograms() and embeddingMaps() describe their content", async () => {
  const { alt } = cosineHistograms([{ name: "mean", same: [0.9, 1], other: [-0.2, 0.1] }]);
  strictEqual(
    alt,
    "mean: the probability that a same-topic pair has a higher cosine than another pair is 1.000.",
  );
  const { figure } = await embeddingMaps([{
    name: "mean",
    points: [[0, 1], [2, 3]],
    shares: [0.5, 0.25],
    texts: [{ label: "a", text: "x" }, { label: "b", text: "y" }],
  }]);
  const width = Number(/ width="([\d.]+)"/.exec(figure.svg)?.[1]);
  ok(width < 900, `the map fits a notebook's column: ${width}`);
  match(figure.alt, /2 texts on the two principal axes .* mean explains 75 % of the variance/);
});
