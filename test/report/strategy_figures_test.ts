import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { differenceDots } from "@/report/figures/difference_dots.ts";
import { learningCurves, spanScores } from "@/report/figures/experiment_figures.ts";
import { mixingFigure, shareByTenth } from "@/report/figures/mixing_figure.ts";
import { normHistograms } from "@/report/figures/embedding_figures.ts";
import { planMixing } from "@/train/mixing.ts";

/** 30 batches of topics and 10 of entities. */
const plan = (mixing: Parameters<typeof planMixing>[0], epochs = 1) =>
  planMixing(mixing, [
    { name: "topics", batchesPerEpoch: 30 },
    { name: "names", batchesPerEpoch: 10 },
  ], { epochs, maxSteps: null, accumulate: 1, mixingTemperature: 2, seed: 1 });

Deno.test("shareByTenth() returns the share of a task's batches", () => {
  deepStrictEqual(shareByTenth(plan("both"), "names"), new Array(10).fill(0.5));
  deepStrictEqual(shareByTenth(plan("round-robin"), "names"), new Array(10).fill(0.5));
  // an epoch of 40 steps contains all 10 batches of the task, in ten parts of 4 steps
  const shares = shareByTenth(plan("proportional"), "names");
  strictEqual(shares.reduce((sum, share) => sum + 4 * share, 0), 10);
  // the exponent falls from 1 to 0.2: probabilities from 10/40 to 10^0.2/(10^0.2 + 30^0.2) = 0.445
  const annealed = shareByTenth(plan("annealed", 1000), "names");
  ok(Math.abs((annealed[0] ?? 0) - 0.25) < 0.03, String(annealed[0]));
  ok(Math.abs((annealed.at(-1) ?? 0) - 0.44) < 0.03, String(annealed.at(-1)));
});

Deno.test("mixingFigure() describes the first and the last share", () => {
  const { alt } = mixingFigure([{ name: "both", plan: plan("both") }], { task: "names" });
  strictEqual(alt, "both begins at 50 % and ends at 50 %.");
});

Deno.test("differenceDots() draws intervals only for more than one pair", () => {
  const { alt, svg } = differenceDots([
    {
      variant: "max",
      task: "topic",
      measure: "accuracy",
      differences: [0.01],
      mean: 0.01,
      interval: null,
    },
    {
      variant: "cls",
      task: "topic",
      measure: "accuracy",
      differences: [0, 0.02],
      mean: 0.01,
      interval: [-0.117, 0.137],
    },
  ], { title: "Pooling", reference: "mean", split: "validation" });
  strictEqual(
    alt,
    "topic, max: +1.00 points (n = 1); topic, cls: +1.00 points (−11.70 to +13.70, n = 2).",
  );
  ok(svg.includes("line: 95 % t interval"));
  const single = differenceDots(
    [{
      variant: "max",
      task: "topic",
      measure: "accuracy",
      differences: [0.01],
      mean: 0.01,
      interval: null,
    }],
    { title: "Pooling", reference: "mean", split: "validation" },
  );
  ok(single.svg.includes("One pair each, so there is no interval."));
});

Deno.test("spanScores() does not exaggerate small differences", () => {
  deepStrictEqual(spanScores([88, 88.5]), [87.25, 89.25]);
  deepStrictEqual(spanScores([80, 88.5]), [80, 88.5]);
  deepStrictEqual(spanScores([100, 99.75]), [98.875, 100]);
  deepStrictEqual(spanScores([0]), [0, 1]);
});

Deno.test("learningCurves() states the number of seeds", () => {
  const curve = (variant: string, seed: number) =>
    [10, 20].map((step) => ({ variant, seed, step, value: seed / step }));
  const options = { title: "Loss", y: "nats", scale: "log", reference: "a" } as const;
  const three = learningCurves([...curve("a", 1), ...curve("a", 2), ...curve("b", 1)], options);
  strictEqual(three.alt, "a ends at 0.0750 (2 seeds); b ends at 0.0500 (1 seed).");
  ok(
    three.svg.includes(
      "Line: mean of 1 to 2 seeds; shaded: their range; thin line: one seed. Dashed: a.",
    ),
  );
  const one = learningCurves(curve("a", 1), options);
  ok(one.svg.includes("One seed each."));
  ok(!one.svg.includes("Dashed"), "the reference is not drawn behind itself");
});

Deno.test("normHistograms() measures Euclidean norms", () => {
  const { alt, svg } = normHistograms([
    { name: "long", embeddings: [[3, 4], [6, 8], [0, 6]] }, // 5, 10 and 6
    { name: "unit", embeddings: [[1, 0], [0, 1], [0.6, 0.8]] },
  ]);
  strictEqual(alt, "long: mean 7.00, from 5.00 to 10.00; unit: mean 1.00, from 1.00 to 1.00.");
  ok(svg.includes("Euclidean norms of 3 embeddings each; line: mean."));
});
