/** Compares training on device `tensorflow` with device `cpu`, step by step, with dropout. */
import { ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import type { EngineOptions } from "@/engine/options.ts";
import { disposeModel } from "@/model/parameters.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import { isAvailable } from "../backend.ts";
import {
  batchesOf,
  createFixtureModel,
  createFixtureTraining,
  meanLoss,
  relative,
  STEPS,
  TASKS,
} from "./steps_fixture.ts";

type Step = {
  readonly losses: readonly number[];
  /** First moment, the moving average of the gradient over both tasks, by parameter name. */
  readonly moments: ReadonlyMap<string, Float32Array>;
};

/** Trains the fixture's recipe with dropout on a device. */
async function train(options: EngineOptions): Promise<readonly Step[]> {
  await openEngine(options);
  const model = createFixtureModel();
  const { parameters, trainStep, dispose, ...training } = createFixtureTraining(model, {
    dropout: { hidden: 0.1, attention: 0.1, head: 0.1 },
    schedule: (step) => scheduleFactor("linear", step, STEPS.recipe),
  });
  let { state } = training;
  const steps: Step[] = [];
  for (let s = 0; s < STEPS.recipe.steps; s++) {
    const [next, metrics] = await trainStep(state, batchesOf(s));
    state = next;
    const moments = new Map<string, Float32Array>();
    for (const { plan, first } of parameters) {
      moments.set(plan.name, Float32Array.from(await first.data()));
    }
    steps.push({ losses: TASKS.map((task) => meanLoss(metrics, task)), moments });
  }
  dispose();
  disposeModel(model);
  return steps;
}

/** Relative distance: the norm of `a − b` divided by the norm of `b`. */
function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - (b[i] ?? NaN))) / Math.hypot(...b);
}

Deno.test({
  name: "device tensorflow matches losses and moments of device cpu within 1e-4 over 20 steps",
  ignore: !isAvailable("tensorflow"),
  async fn() {
    const wanted = await train({ device: "cpu" });
    const before = tf.memory().numTensors;
    const found = await train({ device: "tensorflow" });
    ok(tf.memory().numTensors === before, "leaks tensors");
    ok(wanted.length === 20, "premise: 20 steps");
    for (const [s, { losses, moments }] of wanted.entries()) {
      for (const [i, loss] of losses.entries()) {
        const ours = found[s]?.losses[i] ?? NaN;
        ok(relative(ours, loss) < 1e-4, `step ${s}, ${TASKS[i]}: ${ours} against ${loss}`);
      }
      for (const [name, moment] of moments) {
        // Softmax is invariant to the bias of keys, so its gradient is only rounding error.
        if (name.endsWith("key.bias")) continue;
        const far = distance(found[s]?.moments.get(name) ?? new Float32Array(), moment);
        ok(far < 1e-4, `step ${s}, ${name}: off by ${far}`);
      }
    }
  },
});
