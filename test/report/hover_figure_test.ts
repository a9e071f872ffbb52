import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readRun } from "@/report/read_run.ts";
import { DISPLAY } from "@/report/figure.ts";
import { hoverFigure } from "@/report/hover_figure.ts";
import { intervalDots } from "@/report/interval_dots.ts";
import { scoreDots } from "@/report/score_dots.ts";
import { cosineHistograms, embeddingMaps } from "@/report/similarity_figures.ts";
import { lossComparison } from "@/report/training_hover.ts";

const PNG = "iVBORw0KGgo"; // how every PNG begins in base64

Deno.test("hoverFigure() shows itself as Vega-Lite, PNG and text in one bundle", async () => {
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
    "image/png",
    "text/plain",
  ]);
  ok(String(shown["image/png"]).startsWith(PNG));
  strictEqual(shown["text/plain"], "Two points. They rise.");
  strictEqual(figure.spec.$schema, "https://vega.github.io/schema/vega-lite/v5.json");
  match(figure.figure.svg, /Two points/);
});

Deno.test("lossComparison() says where each run ends and keeps every point", async () => {
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

Deno.test("intervalDots() tells values with their intervals in the unit of the axis", async () => {
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

Deno.test("cosineHistograms() and embeddingMaps() say what they show", async () => {
  const { alt } = cosineHistograms([{ name: "mean", same: [0.9, 1], other: [-0.2, 0.1] }]);
  strictEqual(
    alt,
    "mean: a pair of one topic is closer than another pair with a chance of 1.000.",
  );
  const { figure } = await embeddingMaps([{
    name: "mean",
    points: [[0, 1], [2, 3]],
    shares: [0.5, 0.25],
    texts: [{ label: "a", text: "x" }, { label: "b", text: "y" }],
  }]);
  match(figure.alt, /2 texts on the two principal axes .* mean shows 75 % of the variance/);
});
