/**
 * Training losses, and the layers around them. Shapes: N positions (rows, or tokens of all rows), C classes.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossScaleConfig } from "@/config/config.ts";
import { inRegion } from "@/engine/tape.ts";
import type { Batch } from "@/text/example.ts";

/** Number of positions with a label; negative labels (`IGNORED`) do not count. */
export function countLabels(labels: tf.Tensor1D): tf.Scalar {
  return tf.sum(tf.cast(tf.greaterEqual(labels, 0), "float32")) as tf.Scalar;
}

/**
 * Cross-entropy of the softmax over the last axis: the mean of −log p(label) over the labeled positions. Positions with
 * a negative label (`IGNORED`) are excluded. Equals PyTorch 2.13 `cross_entropy` with `ignore_index`, except that the
 * loss and gradient without any labeled position are 0, not NaN.
 *
 * @param logits [N, C]
 * @param labels [N] int32
 */
export function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const [, classes] = logits.shape;
  return inRegion("cross_entropy", () => {
    // The one-hot row of a negative label is all zeros, which excludes the position from the sum and the gradient.
    const target = tf.cast(tf.oneHot(labels, classes), "float32"); // [N, C]
    const picked = tf.sum(tf.mul(target, tf.logSoftmax(logits)));
    return tf.neg(tf.div(picked, tf.maximum(countLabels(labels), 1))) as tf.Scalar;
  });
}

/** A layer around a task's loss, with its inverse, by which the metrics get the loss without it. */
export type LossLayer = {
  readonly wrap: (loss: tf.Tensor) => tf.Tensor;
  readonly unwrap: (value: tf.Tensor) => tf.Tensor;
};

/** A fixed task weight. Its inverse is left to the host, which divides in float64. */
export const fixedWeight = (weight: number): LossLayer => ({
  wrap: (loss) => tf.mul(loss, weight),
  unwrap: (value) => value,
});

/**
 * A task weight that is learned with the model (Kendall, Gal and Cipolla, arXiv 1705.07115, equation 10). A task has
 * the variance σ², learned as s = log σ², and contributes L/σ² + log σ = exp(−s)·L + s/2 to the total loss.
 */
export const uncertaintyWeight = (logVariance: tf.Tensor): LossLayer => ({
  wrap: (loss) => tf.add(tf.mul(tf.exp(tf.neg(logVariance)), loss), tf.mul(logVariance, 0.5)),
  unwrap: (value) => tf.mul(tf.sub(value, tf.mul(logVariance, 0.5)), tf.exp(logVariance)),
});

/** Accumulation: the weight of a micro-batch within its step. */
export const microBatchWeight = (weight: tf.Scalar): LossLayer => ({
  wrap: (loss) => tf.mul(loss, weight),
  unwrap: (value) => tf.div(value, tf.maximum(weight, 1e-12)), // 0 for a batch without labels, whose loss is 0
});

/**
 * Weights of a task's micro-batches in a step, proportional to their label counts: together they then have the gradient
 * of one large batch.
 */
export function weighMicroBatches(batches: readonly Batch[]): readonly number[] {
  if (batches.length === 1) return [1];
  const counts = batches.map(({ labels }) =>
    labels.reduce((n, label) => n + Number(label >= 0), 0)
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => total > 0 ? count / total : 1 / counts.length);
}

/**
 * Dynamic loss scaling, which keeps small gradients within the range of float16 (Micikevicius et al., arXiv
 * 1710.03740). The optimizer divides the gradients by the scale, and {@link nextLossScaler} adapts it.
 */
export const scaledBy = (scale: tf.Scalar): LossLayer => ({
  wrap: (loss) => tf.mul(loss, scale),
  unwrap: (value) => tf.div(value, scale),
});

/** The loss scale of the next step, and the number of consecutive finite steps since it last changed. */
export type LossScaler = { readonly scale: number; readonly streak: number };

/** Training fails if the loss scale falls below this value, as in fairseq 0.12 (`--min-loss-scale`). */
export const MIN_LOSS_SCALE = 1e-4;
/** The largest finite float32. */
const MAX_FLOAT32 = 3.4028234663852886e38;

/**
 * True if all gradients are finite, judged by their global norm. The norm of finite gradients does not overflow, because
 * gradients in float16 are far too small for their squares to reach the limit of float32.
 */
export function isFiniteNorm(norm: tf.Tensor): tf.Tensor {
  return tf.lessEqual(norm, MAX_FLOAT32);
}

/**
 * The loss scale after a step, in float32. The rules are those of PyTorch 2.13 `torch.amp.GradScaler`: a non-finite
 * gradient reduces the scale, and `interval` consecutive finite steps increase it.
 */
export function nextLossScaler(
  { scale, streak }: LossScaler,
  finite: boolean,
  { growth, backoff, interval }: LossScaleConfig,
): LossScaler {
  const times = (factor: number) => Math.fround(scale * Math.fround(factor));
  if (!finite) return { scale: times(backoff), streak: 0 };
  if (streak + 1 !== interval) return { scale, streak: streak + 1 };
  return { scale: times(growth) <= MAX_FLOAT32 ? times(growth) : scale, streak: 0 };
}
