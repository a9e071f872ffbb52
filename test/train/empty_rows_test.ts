/** Training steps on rows without real tokens and batches without labels. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import { testOnBackends } from "../backend.ts";
import {
  batchOf,
  createFixtureModel,
  createFixtureTraining,
  meanLoss,
  TASKS,
} from "./steps_fixture.ts";
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
      const { state, trainStep, dispose } = createFixtureTraining(model);
      const batch = batchOf("topic", 0);
      const mask = batch.mask.map((bit, i) => i < batch.length ? 0 : bit); // masks the whole first row
      const [, metrics] = await trainStep(state, new Map([["topic", [{ ...batch, mask }]]]));
      const loss = meanLoss(metrics, "topic"), { gradientNorm } = metrics;
      ok(Number.isFinite(loss) && loss > 0, `${what}: loss ${loss}`);
      strictEqual(metrics.losses.topic?.count, batch.rows);
      ok(Number.isFinite(gradientNorm) && gradientNorm > 0, `${what}: gradient ${gradientNorm}`);
      dispose();
      disposeModel(model);
    }
  }
});

testOnBackends("a micro-batch without labels does not change a step", async () => {
  const run = async (withEmpty: boolean) => {
    const model = createFixtureModel();
    const { state, trainStep, dispose } = createFixtureTraining(model);
    const batches = TASKS.map((task) => {
      const batch = batchOf(task, 0);
      const empty = { ...batch, labels: batch.labels.map(() => -100) };
      return [task, withEmpty ? [empty, batch] : [batch]] as const;
    });
    const [, { losses, gradientNorm }] = await trainStep(state, new Map(batches));
    dispose();
    disposeModel(model);
    return { losses, gradientNorm };
  };
  deepStrictEqual(await run(true), await run(false));
});
