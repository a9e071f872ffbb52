/**
 * A factor of the loss that keeps small gradients in the range of float16 (Micikevicius et al., arXiv
 * 1710.03740), decision for decision as PyTorch 2.13 `torch.amp.GradScaler`: a step with a gradient that
 * is not finite is skipped and shrinks the scale; `interval` steps in a row without one let it grow.
 *
 * All of it is part of the update program: nothing waits for the host to decide.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossScaleConfig } from "@/config.ts";

/** The scale and how many steps in a row were finite, both scalars that the update program moves. */
export type LossScaler = {
  readonly scale: tf.Variable<tf.Rank.R0>;
  readonly streak: tf.Variable<tf.Rank.R0>;
};

/** The values of a {@link LossScaler}, for a checkpoint. */
export type LossScalerValues = { readonly scale: number; readonly streak: number };

/** The largest float32: what exceeds it, or is no number, is not finite. */
const LARGEST = 3.4028234663852886e38;

/** Below this a run has no hope (fairseq 0.12 `--min-loss-scale`). */
export const LEAST_LOSS_SCALE = 1e-4;

/** A scaler at its first step. */
export function createLossScaler({ initial }: LossScaleConfig): LossScaler {
  return tf.tidy(() => ({
    scale: tf.variable(tf.scalar(initial), false),
    streak: tf.variable(tf.scalar(0), false),
  }));
}

/**
 * Whether all of some gradients are finite, by their norm: their squares stay far from float32's end
 * as long as they are products of float16 numbers.
 */
export function isFiniteNorm(norm: tf.Scalar): tf.Scalar {
  return tf.lessEqual(norm, LARGEST) as tf.Scalar;
}

/** Records into a program what a step, finite or not, does to the scaler. */
export function updateLossScaler(
  { scale, streak }: LossScaler,
  finite: tf.Scalar,
  { growth, backoff, interval }: LossScaleConfig,
): void {
  const longer = tf.add(streak, 1);
  const grows = tf.equal(longer, interval);
  const grown = tf.mul(scale, growth);
  const kept = tf.where(tf.logicalAnd(grows, tf.lessEqual(grown, LARGEST)), grown, scale);
  const next = tf.where(finite, kept, tf.mul(scale, backoff)) as tf.Scalar;
  streak.assign(tf.where(tf.logicalAnd(finite, tf.logicalNot(grows)), longer, 0) as tf.Scalar);
  scale.assign(next);
}
