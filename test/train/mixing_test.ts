import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { countSteps, planMixing } from "@/train/mixing.ts";
import { describeStep } from "@/train/step_progress.ts";

Deno.test("planMixing() both: an epoch covers the larger task once, the smaller goes round", () => {
  const plan = planMixing("both", [
    { name: "ag_news", batchesPerEpoch: 1574 },
    { name: "conll2003", batchesPerEpoch: 439 },
  ]);
  strictEqual(plan.stepsPerEpoch, 1574);
  deepStrictEqual(plan.tasksOfStep(7), ["ag_news", "conll2003"]);
  // 1574 / 439 = 3.585
  strictEqual(
    plan.note,
    "An epoch is 1574 steps: every row of ag_news once, conll2003 3.6 times round.",
  );
});

Deno.test("countSteps() takes whole steps, at least one, at most maxSteps", () => {
  strictEqual(countSteps(10, { epochs: 1.55, maxSteps: null }), 15);
  strictEqual(countSteps(10, { epochs: 0.01, maxSteps: null }), 1);
  strictEqual(countSteps(10, { epochs: 5, maxSteps: 7 }), 7);
});

Deno.test("describeStep() shows losses and tokens a second", () => {
  const standing = { step: 5, steps: 20, losses: { a: 0.12345, b: 2 }, tokens: 5000 };
  deepStrictEqual(describeStep({ ...standing, seconds: 2 }), {
    label: "train",
    done: 5,
    total: 20,
    details: ["a 0.123", "b 2.000", "2.5k tokens/s"],
  });
  deepStrictEqual(describeStep({ ...standing, seconds: 0 }).details, ["a 0.123", "b 2.000"]);
  strictEqual(describeStep({ ...standing, seconds: 0.2 }).details?.at(-1), "25k tokens/s");
});
