/**
 * Gradient clipping by global norm (Pascanu et al., arXiv 1211.5063).
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** Euclidean norm of all gradients, taken as one vector. */
export function globalNorm(gradients: readonly tf.Tensor[]): tf.Scalar {
  const squares = gradients.map((gradient) => tf.sum(tf.mul(gradient, gradient)));
  return tf.sqrt(squares.reduce((sum, each) => tf.add(sum, each))) as tf.Scalar;
}

/**
 * The factor that scales gradients of norm `norm` down to norm `clipNorm`; 1 if they are shorter. PyTorch 2.13
 * `clip_grad_norm_` adds the same 1e-6.
 */
export function clipFactor(norm: tf.Scalar, clipNorm: number): tf.Scalar {
  return tf.minimum(1, tf.div(clipNorm, tf.add(norm, 1e-6))) as tf.Scalar;
}
