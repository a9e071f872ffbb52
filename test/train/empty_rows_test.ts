/** Training steps on rows without real tokens and batches without labels. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import { weighMicroBatches } from "@/train/train_loop.ts";
import { testOnBackends } from "../backend.ts";
import { batchOf, createFixtureModel, createFixtureStep, TASKS } from "./steps_fixture.ts";
import { createTinyModel, formulaValues } from "./tiny_model.ts";

testOnBackends("a row without real tokens has a finite loss and gradient", async () => {
  for (const pooling of POOLING_MODES) {
    for (const normalize of NORMALIZE_MODES) {
      const what = `${pooling}, ${normalize}`;
      const model = createTinyModel(1, { pooling, normalize, embeddingSize: null });
      for (const { name, variable } of namedParameters(model)) {
        const { shape } = variable;
        tf.tidy(() => variable.assign(tf.tensor(formulaValues(name, shape), shape)));
      }
      const step = createFixtureStep(model, {});
      const batch = batchOf("topic", 0);
      const mask = batch.mask.map((bit, i) => i < batch.length ? 0 : bit); // masks the whole first row
      const { loss, count } = await step.accumulate("topic", { ...batch, mask }, 0, {
        batchWeight: 1,
      });
      const { gradientNorm } = await step.update({ factor: 1 });
      ok(Number.isFinite(loss) && loss > 0, `${what}: loss ${loss}`);
      strictEqual(count, batch.rows);
      ok(Number.isFinite(gradientNorm) && gradientNorm > 0, `${what}: gradient ${gradientNorm}`);
      step.dispose();
      disposeModel(model);
    }
  }
});

testOnBackends("a micro-batch without labels does not change a step", async () => {
  const run = async (withEmpty: boolean) => {
    const model = createFixtureModel(), step = createFixtureStep(model);
    const found: number[] = [];
    for (const task of TASKS) {
      const batch = batchOf(task, 0);
      const empty = { ...batch, labels: batch.labels.map(() => -100) };
      const batches = withEmpty ? [empty, batch] : [batch];
      for (const [i, batchWeight] of weighMicroBatches(batches).entries()) {
        const { loss, count } = await step.accumulate(task, batches[i] ?? batch, 0, {
          batchWeight,
        });
        if (batches[i] === empty) deepStrictEqual([Math.abs(loss), count], [0, 0]);
        else found.push(loss);
      }
    }
    const { gradientNorm } = await step.update({ factor: 1 });
    step.dispose();
    disposeModel(model);
    return [...found, gradientNorm];
  };
  deepStrictEqual(await run(true), await run(false));
});
