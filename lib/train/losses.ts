/**
 * Training losses. Shapes: N positions (rows, or tokens of all rows), C classes.
 * @module
 */
import * as tf from "@tensorflow/tfjs";

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
  // The one-hot row of a negative label is all zeros, which excludes the position from the sum and the gradient.
  const target = tf.cast(tf.oneHot(labels, classes), "float32"); // [N, C]
  const picked = tf.sum(tf.mul(target, tf.logSoftmax(logits)));
  return tf.neg(tf.div(picked, tf.maximum(countLabels(labels), 1))) as tf.Scalar;
}
