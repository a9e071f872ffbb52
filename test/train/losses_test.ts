import { deepStrictEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import {
  countLabels,
  crossEntropy,
  fixedWeight,
  isFiniteNorm,
  type LossLayer,
  microBatchWeight,
  nextLossScaler,
  scaledBy,
  uncertaintyWeight,
  weighMicroBatches,
} from "@/train/losses.ts";
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

/** The wrapped loss 2, and what unwrapping makes of it. */
function wrapTwo(layer: () => LossLayer): readonly number[] {
  return tf.tidy(() => {
    const { wrap, unwrap } = layer(), wrapped = wrap(tf.scalar(2));
    return [wrapped.dataSync()[0] ?? NaN, unwrap(wrapped).dataSync()[0] ?? NaN];
  });
}

testOnBackends("layers change the loss, and their inverses restore it", () => {
  const close = (layer: () => LossLayer, wanted: readonly number[]) =>
    wrapTwo(layer).forEach((value, i) =>
      ok(Math.abs(value - (wanted[i] ?? NaN)) < 1e-6, `${value} ≠ ${wanted[i]}`)
    );
  close(() => fixedWeight(0.5), [1, 1]); // the host divides by the weight
  close(() => microBatchWeight(tf.scalar(0.25)), [0.5, 2]);
  close(() => microBatchWeight(tf.scalar(0)), [0, 0]); // no labels: the loss is 0
  close(() => scaledBy(tf.scalar(1024)), [2048, 2]);
  close(() => uncertaintyWeight(tf.scalar(0)), [2, 2]);
  // s = ln 4: 2/4 + ln 2
  close(() => uncertaintyWeight(tf.scalar(Math.log(4))), [0.5 + Math.log(2), 2]);
});

Deno.test("weighMicroBatches() weighs by label counts, equally if there are none", () => {
  const batch = (...labels: number[]) => ({
    rows: labels.length,
    length: 1,
    ids: new Int32Array(labels.length),
    mask: new Int32Array(labels.length),
    labels: Int32Array.from(labels),
    examples: [],
    tokens: 0,
  });
  deepStrictEqual(weighMicroBatches([batch(0, 1, 2), batch(4, -100, -100)]), [0.75, 0.25]);
  deepStrictEqual(weighMicroBatches([batch(-100), batch(-100)]), [0.5, 0.5]);
  deepStrictEqual(weighMicroBatches([batch(-100)]), [1]); // leaves the layer out
});

/** The loss scale after each step, given whether the steps' gradients are finite. */
function followScale(
  finite: readonly boolean[],
  config: Parameters<typeof nextLossScaler>[2],
): number[] {
  let scaler = { scale: config.initial, streak: 0 };
  return finite.map((each) => (scaler = nextLossScaler(scaler, each, config)).scale);
}

Deno.test("nextLossScaler() grows after three consecutive finite steps and shrinks at once", () => {
  const config = { initial: 8, growth: 2, backoff: 0.5, interval: 3 };
  const finite = Array.from({ length: 12 }, (_, i) => i !== 4 && i !== 7);
  // the overflows at steps 5 and 8 restart the count, and so does each growth
  deepStrictEqual(followScale(finite, config), [8, 8, 16, 16, 8, 8, 8, 4, 4, 4, 8, 8]);
});

Deno.test("nextLossScaler() never grows beyond the largest float32 and rounds to float32", () => {
  const config = { initial: 2 ** 126, growth: 2, backoff: 0.5, interval: 1 };
  deepStrictEqual(followScale([true, true, true], config), [2 ** 127, 2 ** 127, 2 ** 127]);
  const odd = { ...config, initial: 1, growth: 1.1 };
  deepStrictEqual(followScale([true], odd), [Math.fround(1.1)]);
});

testOnBackends("isFiniteNorm() accepts the largest float32, but no infinity and no NaN", () => {
  const found = [1, 3.4028234663852886e38, Infinity, NaN].map((norm) =>
    tf.tidy(() => isFiniteNorm(tf.scalar(norm)).dataSync()[0])
  );
  deepStrictEqual(found, [1, 1, 0, 0]);
});
