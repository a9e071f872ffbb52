import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { MIXINGS } from "@/config/config.ts";
import { planMixing } from "@/train/mixing.ts";
import { describeStep } from "@/train/train_loop.ts";

const OPTIONS = { epochs: 1, maxSteps: null, accumulate: 1, mixingTemperature: 2, seed: 3 };
const TASKS = [
  { name: "ag_news", batchesPerEpoch: 1574 },
  { name: "conll2003", batchesPerEpoch: 439 },
];

/** Counts the steps of each task from step `from` to before step `to`. */
function countTasks(plan: ReturnType<typeof planMixing>, from: number, to: number) {
  const counts: Record<string, number> = {};
  for (let step = from; step < to; step++) {
    for (const name of plan.tasksOfStep(step)) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

Deno.test("planMixing() both: an epoch is one pass over the larger task, several over the smaller", () => {
  const plan = planMixing("both", TASKS, OPTIONS);
  deepStrictEqual([plan.stepsPerEpoch, plan.steps], [1574, 1574]);
  deepStrictEqual(plan.tasksOfStep(7), ["ag_news", "conll2003"]);
  // 1574 / 439 = 3.585
  strictEqual(
    plan.note,
    "An epoch is 1574 steps: one pass over ag_news, 3.6 passes over conll2003.",
  );
  const short = planMixing("both", [{ ...TASKS[0], name: "few", batchesPerEpoch: 1 }], OPTIONS);
  strictEqual(short.note, "An epoch is 1 step: one pass over few.");
});

Deno.test("planMixing() proportional: every batch once per epoch, in a new order each epoch", () => {
  const plan = planMixing("proportional", TASKS, { ...OPTIONS, epochs: 2 });
  deepStrictEqual([plan.stepsPerEpoch, plan.steps], [2013, 4026]); // 1574 + 439
  for (const epoch of [0, 1]) {
    const counts = countTasks(plan, epoch * 2013, (epoch + 1) * 2013);
    deepStrictEqual(counts, { ag_news: 1574, conll2003: 439 });
  }
  const order = (from: number) =>
    Array.from({ length: 50 }, (_, i) => plan.tasksOfStep(from + i)[0]).join();
  ok(order(0) !== order(2013));
  strictEqual(order(0), order(0)); // also after a request for another epoch
  strictEqual(plan.note, "An epoch is 2013 steps: one pass over all rows.");
});

Deno.test("planMixing() round-robin: tasks alternate until one pass over the larger is complete", () => {
  const plan = planMixing("round-robin", TASKS, OPTIONS);
  strictEqual(plan.stepsPerEpoch, 3148);
  const first = [0, 1, 2].map((step) => plan.tasksOfStep(step));
  deepStrictEqual(first, [["ag_news"], ["conll2003"], ["ag_news"]]);
  strictEqual(
    plan.note,
    "An epoch is 3148 steps: one pass over ag_news, 3.6 passes over conll2003.",
  );
});

Deno.test("planMixing() temperature T samples with probability ∝ n^(1/T)", () => {
  const tasks = [{ name: "a", batchesPerEpoch: 9 }, { name: "b", batchesPerEpoch: 4 }];
  const note = (mixingTemperature: number) =>
    planMixing("temperature", tasks, { ...OPTIONS, mixingTemperature }).note;
  const samples = "An epoch is 13 steps: each step samples its task";
  strictEqual(note(1), `${samples} (a 69.2 %, b 30.8 %).`); // 9 / 13
  strictEqual(note(2), `${samples} (a 60.0 %, b 40.0 %).`); // 3 / 5
  strictEqual(note(Infinity), `${samples} (a 50.0 %, b 50.0 %).`);
});

Deno.test("planMixing() temperature 2 samples tasks by the square root of their sizes", () => {
  const tasks = [{ name: "a", batchesPerEpoch: 900 }, { name: "b", batchesPerEpoch: 400 }];
  const plan = planMixing("temperature", tasks, { ...OPTIONS, epochs: 4 });
  strictEqual(
    plan.note,
    "An epoch is 1300 steps: each step samples its task (a 60.0 %, b 40.0 %).",
  );
  // 5200 draws with probability 3/5: mean 3120, standard deviation 35
  const { a = 0 } = countTasks(plan, 0, plan.steps);
  ok(Math.abs(a - 3120) < 4 * 35, `${a}`);
});

Deno.test("planMixing() annealed goes from proportional to n^0.2", () => {
  const tasks = [{ name: "a", batchesPerEpoch: 3125 }, { name: "b", batchesPerEpoch: 100 }];
  const plan = planMixing("annealed", tasks, { ...OPTIONS, epochs: 4 });
  // 3125/3225 = 96.9 %; 31.25^0.2 = 1.990: 1.990 / 2.990 = 66.6 %
  strictEqual(
    plan.note,
    "An epoch is 3225 steps: each step samples its task (a 96.9 to 66.6 %, b 3.1 to 33.4 %).",
  );
  // first and last tenth: exponents about 0.96 and 0.24, probabilities of b 3.5 % and 30.5 %, deviations 0.5 and 1.3
  const tenth = plan.steps / 10;
  const share = (from: number) => (countTasks(plan, from, from + tenth).b ?? 0) / tenth;
  ok(Math.abs(share(0) - 0.035) < 0.02, `${share(0)}`);
  ok(Math.abs(share(9 * tenth) - 0.305) < 0.05, `${share(9 * tenth)}`);
});

for (const mixing of MIXINGS) {
  Deno.test(`planMixing() ${mixing}: ${mixing === "both" ? "all tasks" : "one task"} per step, deterministic`, () => {
    const plans = [1, 2].map(() => planMixing(mixing, TASKS, OPTIONS));
    for (const step of [2000, 0, 7, 1]) {
      const [one, other] = plans.map((plan) => plan.tasksOfStep(step));
      deepStrictEqual(one, other);
      strictEqual(one?.length, mixing === "both" ? 2 : 1);
    }
  });
}

Deno.test("planMixing() counts steps of several micro-batches", () => {
  const options = { ...OPTIONS, accumulate: 4 };
  strictEqual(planMixing("both", TASKS, options).stepsPerEpoch, 394); // 1574 / 4 = 393.5
  strictEqual(planMixing("proportional", TASKS, options).stepsPerEpoch, 394 + 110); // 439 / 4 = 109.75
});

Deno.test("planMixing() takes whole steps, at least one, at most maxSteps", () => {
  const steps = (epochs: number, maxSteps: number | null) =>
    planMixing("both", [{ name: "a", batchesPerEpoch: 10 }], { ...OPTIONS, epochs, maxSteps })
      .steps;
  deepStrictEqual([steps(1.55, null), steps(0.01, null), steps(5, 7)], [15, 1, 7]);
});

Deno.test("describeStep() shows losses and tokens per second", () => {
  const status = { step: 5, steps: 20, losses: { a: 0.12345, b: 2 }, tokens: 5000 };
  deepStrictEqual(describeStep({ ...status, seconds: 2 }), {
    label: "train",
    done: 5,
    total: 20,
    details: ["a 0.123", "b 2.000", "2.5k tokens/s"],
  });
  deepStrictEqual(describeStep({ ...status, seconds: 0 }).details, ["a 0.123", "b 2.000"]);
  strictEqual(describeStep({ ...status, seconds: 0.2 }).details?.at(-1), "25k tokens/s");
});
