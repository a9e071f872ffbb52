/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101), with the results of PyTorch 2.13 `torch.optim.AdamW`:
 *
 *     m ← β₁·m + (1 − β₁)·g          v ← β₂·v + (1 − β₂)·g²
 *     w ← (1 − r·λ)·w − r/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 *
 * The code uses an equivalent form. Everything that depends on t is a scalar, so few passes over each tensor suffice:
 *
 *     w ← (1 − r·λ)·w − (r·s) · m / (√v + e),   s = √(1 − β₂ᵗ)/(1 − β₁ᵗ),  e = ε·√(1 − β₂ᵗ)
 *
 * Symbols: w weight, g gradient, m and v first and second moment, r learning rate, λ weight decay, t update number.
 * @module
 */
import * as tf from "@tensorflow/tfjs";

/** β₁, β₂ and ε. */
export type AdamOptions = {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
};

/** The scalars that change from step to step, computed in float64. */
export type AdamStep = {
  /** Factor on the peak learning rate for weight decay: the schedule's factor. */
  readonly factor: number;
  /** Factor on the peak learning rate for the update: the schedule's factor times s. */
  readonly scale: number;
  /** e, the epsilon after the bias correction. */
  readonly epsilon: number;
};

/** Computes the scalars of update `t`, counted from 1; `factor` is the schedule's factor. */
export function adamStep(t: number, factor: number, options: AdamOptions): AdamStep {
  const { beta1, beta2, epsilon } = options;
  const root = Math.sqrt(1 - beta2 ** t);
  return { factor, scale: factor * root / (1 - beta1 ** t), epsilon: epsilon * root };
}

/** Traces the same scalars into a program, for programs that count updates themselves. */
export function traceAdamStep(
  t: tf.Tensor,
  factor: tf.Scalar,
  { beta1, beta2, epsilon }: AdamOptions,
): Pick<AdamScalars, "factor" | "scale" | "epsilon"> {
  const root = tf.sqrt(oneMinusPower(beta2, t));
  return {
    factor,
    scale: tf.div(tf.mul(factor, root), oneMinusPower(beta1, t)) as tf.Scalar,
    epsilon: tf.mul(root, epsilon) as tf.Scalar,
  };
}

/**
 * 1 − βᵗ without the cancellation of a float32 power if β is near 1: with y = −t·log β it equals
 * 1 − e⁻ʸ = 2u/(1 + u), u = tanh(y/2).
 */
function oneMinusPower(beta: number, t: tf.Tensor): tf.Tensor {
  if (beta === 0) return tf.scalar(1);
  const u = tf.tanh(tf.mul(t, -Math.log(beta) / 2));
  return tf.div(tf.mul(u, 2), tf.add(u, 1));
}

/** A parameter with its optimizer state; all tensors have the same shape. */
export type AdamSlot = {
  readonly weight: tf.Tensor;
  readonly gradient: tf.Tensor;
  /** First moment m. */
  readonly first: tf.Tensor;
  /** Second moment v. */
  readonly second: tf.Tensor;
};

/** The scalars of {@link AdamStep} as inputs of a program, and the factor that clips the gradients. */
export type AdamScalars = {
  readonly factor: tf.Scalar;
  readonly scale: tf.Scalar;
  readonly epsilon: tf.Scalar;
  readonly clip: tf.Scalar;
};

/** Returns the weight and the moments of a parameter after one step, as new tensors. */
export function adamUpdate(
  { weight, gradient, first, second }: AdamSlot,
  scalars: AdamScalars,
  options: AdamOptions & { readonly learningRate: number; readonly weightDecay: number },
): { readonly weight: tf.Tensor; readonly first: tf.Tensor; readonly second: tf.Tensor } {
  const { beta1, beta2, learningRate, weightDecay } = options;
  // d = (1 − β₁)·clip·g is used for both moments; clipping comes before squaring.
  const d = tf.mul(gradient, tf.mul(scalars.clip, 1 - beta1));
  const m = tf.add(tf.mul(first, beta1), d);
  const v = tf.add(tf.mul(second, beta2), tf.mul(tf.mul(d, d), (1 - beta2) / (1 - beta1) ** 2));
  const direction = tf.div(m, tf.add(tf.sqrt(v), scalars.epsilon));
  const move = tf.mul(direction, tf.mul(scalars.scale, learningRate));
  const decayed = weightDecay === 0
    ? weight
    : tf.mul(weight, tf.sub(1, tf.mul(scalars.factor, learningRate * weightDecay)));
  return { weight: tf.sub(decayed, move), first: m, second: v };
}
