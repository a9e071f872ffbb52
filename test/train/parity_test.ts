import { ok, strictEqual } from "node:assert/strict";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import { scheduleFactor } from "@/train/schedule.ts";
import { testOnBackends } from "../backend.ts";
import {
  batchesOf,
  batchOf,
  createFixtureModel,
  createFixtureTraining,
  meanLoss,
  relative,
  STEPS,
  TASKS,
} from "./steps_fixture.ts";

testOnBackends(
  "createTrainStep() matches 20 steps of PyTorch 2.13 within 1e-4, in each weight",
  async () => {
    const { recipe, steps, final } = STEPS;
    const model = createFixtureModel();
    const { trainStep, dispose, ...training } = createFixtureTraining(model, {
      schedule: (step) => scheduleFactor("linear", step, recipe),
    });
    let { state } = training, clipped = 0;
    for (const [s, expected] of steps.entries()) {
      const [next, metrics] = await trainStep(state, batchesOf(s));
      state = next;
      for (const task of TASKS) {
        const loss = meanLoss(metrics, task);
        const wanted = expected.losses[task] ?? NaN;
        ok(relative(loss, wanted) < 1e-4, `step ${s}, ${task}: ${loss} against ${wanted}`);
        const labels = batchOf(task, s).labels.filter((label) => label >= 0);
        strictEqual(metrics.losses[task]?.count, labels.length);
      }
      const { gradientNorm, skipped } = metrics;
      ok(relative(gradientNorm, expected.gradientNorm) < 1e-3, `step ${s}: norm ${gradientNorm}`);
      strictEqual(skipped, false);
      strictEqual(state.lossScaler, null);
      if (gradientNorm > recipe.clipNorm) clipped++;
    }
    ok(clipped > 0 && clipped < steps.length, `premise: some steps are clipped, ${clipped} were`);
    for (const { name, variable } of namedParameters(model)) {
      // Softmax is invariant to the bias of keys. Its gradient is only rounding error, which Adam scales up.
      if (name.endsWith("key.bias")) continue;
      const values = await variable.data();
      const wanted = new Float32Array(Uint8Array.fromBase64(final[name] ?? "").buffer);
      strictEqual(values.length, wanted.length, name);
      // The tolerance is relative to the root mean square of the parameter.
      const scale = Math.hypot(...wanted) / Math.sqrt(wanted.length);
      const worst = Math.max(...wanted.map((value, i) => Math.abs((values[i] ?? NaN) - value)));
      ok(worst < 1e-4 * scale, `${name}: differs by ${worst}, root mean square ${scale}`);
    }
    dispose();
    disposeModel(model);
  },
);
