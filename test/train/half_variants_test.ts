/**
 * Half precision with every pooling. Rounding changes the loss and the gradient by a few percent; larger differences
 * are errors.
 */
import { ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { POOLING_MODES } from "@/config/config.ts";
import type { Precision } from "@/engine/options.ts";
import { openEngine } from "@/engine/engine.ts";
import { disposeModel, namedParameters } from "@/model/parameters.ts";
import { backendOptions, BACKENDS, isAvailable } from "../backend.ts";
import { batchesOf, createFixtureTraining, meanLoss, relative } from "./steps_fixture.ts";
import { createTinyModel, formulaValues } from "./tiny_model.ts";

const VARIANTS = [
  ...POOLING_MODES.map((pooling) => ({ pooling, normalize: "none", embeddingSize: null } as const)),
  { pooling: "cls", normalize: "l2", embeddingSize: 8 } as const,
];
type Variant = typeof VARIANTS[number];

/** Loss and gradient norm of one step of the classification task. */
async function measureStep(variant: Variant): Promise<readonly [loss: number, norm: number]> {
  const model = createTinyModel(1, variant);
  for (const { name, variable } of namedParameters(model)) {
    tf.tidy(() => variable.assign(tf.tensor(formulaValues(name, variable.shape), variable.shape)));
  }
  const { state, trainStep, dispose } = createFixtureTraining(model);
  const [, metrics] = await trainStep(state, batchesOf(0, ["topic"]));
  dispose();
  disposeModel(model);
  return [meanLoss(metrics, "topic"), metrics.gradientNorm];
}

for (const backend of BACKENDS.filter((each) => each !== "cpu")) {
  Deno.test({
    name: `a step in half precision is close to float32 for every pooling [${backend}]`,
    ignore: !isAvailable(backend),
    async fn() {
      const open = (precision: Precision) => openEngine({ ...backendOptions(backend), precision });
      for (const variant of VARIANTS) {
        await open("float32");
        const [loss, norm] = await measureStep(variant);
        await open("mixed-bfloat16");
        const [halfLoss, halfNorm] = await measureStep(variant);
        const what = JSON.stringify(variant);
        ok(relative(halfLoss, loss) < 0.02, `${what}: loss ${halfLoss}, not ${loss}`);
        ok(relative(halfNorm, norm) < 0.05, `${what}: gradient ${halfNorm}, not ${norm}`);
      }
    },
  });
}
