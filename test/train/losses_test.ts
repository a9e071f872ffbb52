import { deepStrictEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { countLabels, crossEntropy } from "@/train/losses.ts";
import { testOnBackends } from "../backend.ts";

/** Mean loss, and its gradient by the logits. */
function lossAndSlope(logits: number[][], labels: number[]): { loss: number; slope: number[] } {
  return tf.tidy(() => {
    const run = tf.valueAndGrad((x: tf.Tensor) =>
      crossEntropy(x as tf.Tensor2D, tf.tensor1d(labels, "int32"))
    );
    const { value, grad } = run(tf.tensor2d(logits));
    return { loss: value.dataSync()[0] ?? NaN, slope: [...grad.dataSync()] };
  });
}

const close = (a: number, b: number, within = 1e-6) => ok(Math.abs(a - b) < within, `${a} ≠ ${b}`);

testOnBackends("crossEntropy() is the mean of −log p over the labeled rows", () => {
  // softmax of [0, ln 3] is [1/4, 3/4]: −ln 1/4 and −ln 3/4, the third row is ignored
  const { loss, slope } = lossAndSlope([[0, Math.log(3)], [0, Math.log(3)], [5, 1]], [0, 1, -1]);
  close(loss, (Math.log(4) + Math.log(4 / 3)) / 2);
  // (p − 1[label]) / 2 counted rows
  [-0.375, 0.375, 0.125, -0.125, 0, 0].forEach((wanted, i) => close(slope[i] ?? NaN, wanted));
});

testOnBackends("crossEntropy() and its gradient are 0 if no row is labeled", () => {
  const { loss, slope } = lossAndSlope([[1, 2], [3, 4]], [-1, -1]);
  close(loss, 0, 1e-12);
  deepStrictEqual(slope.map(Math.abs), [0, 0, 0, 0]);
});

testOnBackends("crossEntropy() stays finite if logits are far apart", () => {
  const { loss, slope } = lossAndSlope([[1000, -1000]], [1]);
  close(loss, 2000);
  deepStrictEqual(slope, [1, -1]);
});

testOnBackends("countLabels() counts class 0 and ignores negative labels", () => {
  const count = tf.tidy(() => countLabels(tf.tensor1d([0, -1, 3, -1], "int32")).dataSync()[0]);
  deepStrictEqual(count, 2);
});
