/**
 * What training minimises. Shapes: N positions (rows, or pieces of all rows), C classes.
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** How many of the labels are classes: positions that take part in a loss. */
export function countLabels(labels: tf.Tensor1D): tf.Scalar {
  return tf.sum(tf.cast(tf.greaterEqual(labels, 0), "float32")) as tf.Scalar;
}

/**
 * Cross-entropy of softmax over the last axis: the mean of −log p(label) over the positions whose label
 * is a class; a negative label (`IGNORED`) takes no part. PyTorch 2.13 `cross_entropy` with
 * `ignore_index`, but 0 with a zero gradient, not NaN, where no position counts.
 *
 * @param logits [N, C]
 * @param labels [N] int32
 */
export function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const [, classes] = logits.shape;
  // A negative label has no column: its row of zeros drops the position from sum and gradient.
  const target = tf.cast(tf.oneHot(labels, classes), "float32"); // [N, C]
  const picked = tf.sum(tf.mul(target, tf.logSoftmax(logits)));
  return tf.neg(tf.div(picked, tf.maximum(countLabels(labels), 1))) as tf.Scalar;
}
