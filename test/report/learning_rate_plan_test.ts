import { ok, strictEqual } from "node:assert/strict";
import { learningRatePlan, rateAt } from "@/report/figures/learning_rate_plan.ts";

const OPTIONS = { schedule: "linear", warmup: 0.2, steps: 10 } as const;

Deno.test("rateAt() returns the peak times the schedule's factor, and 0 before the group starts", () => {
  const late = { name: "layer 0", learningRate: 4e-5, from: 6 };
  // a schedule of 10 steps, 2 of them warm-up: 1/2, 1, 8/8, 7/8, 6/8, 5/8 …
  strictEqual(rateAt({ name: "heads", learningRate: 8e-4 }, 1, OPTIONS), 4e-4);
  strictEqual(rateAt({ name: "heads", learningRate: 8e-4 }, 4, OPTIONS), 7e-4);
  strictEqual(rateAt(late, 5, OPTIONS), 0);
  strictEqual(rateAt(late, 6, OPTIONS), 4e-5 * 5 / 8);
});

Deno.test("learningRatePlan() draws and labels one line per learning rate, and describes them", () => {
  const { svg, alt } = learningRatePlan([
    { name: "embeddings", learningRate: 1e-5 },
    { name: "layer 0", learningRate: 2e-5 },
    { name: "layer 1", learningRate: 2e-5 },
    { name: "heads", learningRate: 1e-4, from: 4 },
  ], { ...OPTIONS, stopped: 8 });
  for (const label of ["embeddings 1e-5", "layer 0 – layer 1 2e-5", "heads 1e-4"]) {
    ok(svg.includes(`>${label}<`), label);
  }
  // heads start at step 4, with factor 7/8
  strictEqual(
    alt,
    "Learning rates of 4 groups over 10 steps; the highest is 8.75e-5; 1 of them with a later start.",
  );
});

Deno.test("learningRatePlan() gives the heads a distinct color if there are many groups", () => {
  const groups = Array.from({ length: 14 }, (_, i) => ({
    name: i === 0 ? "embeddings" : i === 13 ? "heads" : `layer ${i - 1}`,
    learningRate: 1e-5 * (i + 1),
  }));
  const { svg } = learningRatePlan(groups, OPTIONS);
  const strokes = new Set(
    [...svg.matchAll(/stroke="(hsl[^"]+|#d55e00)"/g)].map(([, stroke]) => stroke),
  );
  strictEqual(strokes.size, 14);
});
