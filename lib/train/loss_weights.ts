/**
 * Factors of the tasks' losses that are learned with the model (Kendall, Gal and Cipolla, arXiv 1705.07115,
 * equation 10): each task has a variance σ², learned as s = log σ², and adds L/σ² + log σ to the sum.
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** What the parameter of a task is called. */
export function logVarianceName(task: string): string {
  return `uncertainty.${task}`;
}

/** A task's s, from 0: a factor of 1. */
export function createLogVariance(): tf.Variable {
  return tf.tidy(() => tf.variable(tf.scalar(0)));
}

/** exp(−s)·L + s/2. */
export function weighLoss(loss: tf.Scalar, logVariance: tf.Tensor): tf.Scalar {
  return tf.add(
    tf.mul(tf.exp(tf.neg(logVariance)), loss),
    tf.mul(logVariance, 0.5),
  ) as tf.Scalar;
}

/** The L that {@link weighLoss} was given. */
export function unweighLoss(weighed: tf.Scalar, logVariance: tf.Tensor): tf.Scalar {
  return tf.mul(tf.sub(weighed, tf.mul(logVariance, 0.5)), tf.exp(logVariance)) as tf.Scalar;
}
