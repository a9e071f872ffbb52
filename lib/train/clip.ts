/**
 * Gradients kept short: all of them together are one vector, scaled where it is too long (Pascanu et al.,
 * arXiv 1211.5063).
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Euclidean norm of all gradients together, a scalar. */
export function globalNorm(gradients: readonly tf.Tensor[]): tf.Scalar {
  const squares = gradients.map((gradient) => tf.sum(tf.mul(gradient, gradient)));
  return tf.sqrt(squares.reduce((sum, each) => tf.add(sum, each))) as tf.Scalar;
}

/**
 * The factor that brings gradients of norm `norm` down to `clipNorm`; 1 where they are shorter. The
 * 1e-6 is that of PyTorch 2.13 `clip_grad_norm_`.
 */
export function clipFactor(norm: tf.Scalar, clipNorm: number): tf.Scalar {
  return tf.minimum(1, tf.div(clipNorm, tf.add(norm, 1e-6))) as tf.Scalar;
}
