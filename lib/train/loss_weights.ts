/**
 * Loss weights that are learned with the model (Kendall, Gal and Cipolla, arXiv 1705.07115, equation 10). Each task has
 * a variance σ², learned as s = log σ², and contributes L/σ² + log σ to the total loss.
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Name of a task's log variance parameter. */
export function logVarianceName(task: string): string {
  return `uncertainty.${task}`;
}

/** Creates a task's s with value 0, which is a loss weight of 1. */
export function createLogVariance(): tf.Variable {
  return tf.tidy(() => tf.variable(tf.scalar(0)));
}

/** The weighted loss, exp(−s)·L + s/2. */
export function weighLoss(loss: tf.Scalar, logVariance: tf.Tensor): tf.Scalar {
  return tf.add(
    tf.mul(tf.exp(tf.neg(logVariance)), loss),
    tf.mul(logVariance, 0.5),
  ) as tf.Scalar;
}

/** Inverse of {@link weighLoss}: the unweighted loss L. */
export function unweighLoss(weighed: tf.Scalar, logVariance: tf.Tensor): tf.Scalar {
  return tf.mul(tf.sub(weighed, tf.mul(logVariance, 0.5)), tf.exp(logVariance)) as tf.Scalar;
}
