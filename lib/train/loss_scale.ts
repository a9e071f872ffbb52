/**
 * Dynamic loss scaling, which keeps small gradients within the range of float16 (Micikevicius et al., arXiv
 * 1710.03740). The rules are those of PyTorch 2.13 `torch.amp.GradScaler`: a step with a non-finite gradient is skipped
 * and reduces the scale; `interval` consecutive finite steps increase it.
 *
 * All of this happens inside the update program, so the host does not wait for a decision.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossScaleConfig } from "@/config/config.ts";

/** The loss scale and the number of consecutive finite steps, as scalars that the update program changes. */
export type LossScaler = {
  readonly scale: tf.Variable<tf.Rank.R0>;
  readonly streak: tf.Variable<tf.Rank.R0>;
};

/** The values of a {@link LossScaler}, as saved in a checkpoint. */
export type LossScalerValues = { readonly scale: number; readonly streak: number };

/** The largest finite float32. */
const MAX_FLOAT32 = 3.4028234663852886e38;

/** Training fails if the loss scale falls below this value, as in fairseq 0.12 (`--min-loss-scale`). */
export const MIN_LOSS_SCALE = 1e-4;

/** Creates a scaler with the initial scale. */
export function createLossScaler({ initial }: LossScaleConfig): LossScaler {
  return tf.tidy(() => ({
    scale: tf.variable(tf.scalar(initial), false),
    streak: tf.variable(tf.scalar(0), false),
  }));
}

/**
 * True if all gradients are finite, judged by their norm. The norm of finite gradients does not overflow, because
 * gradients in float16 are far too small for their squares to reach the limit of float32.
 */
export function isFiniteNorm(norm: tf.Scalar): tf.Scalar {
  return tf.lessEqual(norm, MAX_FLOAT32) as tf.Scalar;
}

/** Traces the update of the scaler after a step into a program; `finite` is true if the step's gradient is finite. */
export function updateLossScaler(
  { scale, streak }: LossScaler,
  finite: tf.Scalar,
  { growth, backoff, interval }: LossScaleConfig,
): void {
  const nextStreak = tf.add(streak, 1);
  const grows = tf.equal(nextStreak, interval);
  const grown = tf.mul(scale, growth);
  const current = tf.where(tf.logicalAnd(grows, tf.lessEqual(grown, MAX_FLOAT32)), grown, scale);
  const next = tf.where(finite, current, tf.mul(scale, backoff)) as tf.Scalar;
  streak.assign(tf.where(tf.logicalAnd(finite, tf.logicalNot(grows)), nextStreak, 0) as tf.Scalar);
  scale.assign(next);
}
