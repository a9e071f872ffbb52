import { deepStrictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { createLossScaler, isFiniteNorm, updateLossScaler } from "@/train/loss_scale.ts";
import { testOnBackends } from "../backend.ts";

/** Returns the loss scale after each step, given the steps' gradient norms. */
function followScale(
  norms: readonly number[],
  config: Parameters<typeof createLossScaler>[0],
): number[] {
  const scaler = createLossScaler(config);
  const scales = norms.map((norm) =>
    tf.tidy(() => {
      updateLossScaler(scaler, isFiniteNorm(tf.scalar(norm)), config);
      return scaler.scale.dataSync()[0] ?? NaN;
    })
  );
  tf.dispose([scaler.scale, scaler.streak]);
  return scales;
}

testOnBackends(
  "updateLossScaler() grows after three consecutive finite steps and shrinks at once",
  () => {
    const config = { initial: 8, growth: 2, backoff: 0.5, interval: 3 };
    const scales = followScale([1, 1, 1, 1, Infinity, 1, 1, NaN, 1, 1, 1, 1], config);
    // the overflow at step 5 and the NaN at step 8 restart the count, and so does each growth
    deepStrictEqual(scales, [8, 8, 16, 16, 8, 8, 8, 4, 4, 4, 8, 8]);
  },
);

testOnBackends("updateLossScaler() never grows beyond the largest float32", () => {
  const config = { initial: 2 ** 126, growth: 2, backoff: 0.5, interval: 1 };
  deepStrictEqual(followScale([1, 1, 1], config), [2 ** 127, 2 ** 127, 2 ** 127]);
});
