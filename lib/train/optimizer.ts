/**
 * The optimizer as a list of transforms from gradients to updates, composed as in optax
 * (https://optax.readthedocs.io/en/latest/api/combining_optimizers.html). With all of them it is AdamW (Loshchilov and
 * Hutter, arXiv 1711.05101) with the results of PyTorch 2.13 `torch.optim.AdamW`:
 *
 *     m ← β₁·m + (1 − β₁)·g          v ← β₂·v + (1 − β₂)·g²
 *     w ← (1 − r·λ)·w − r/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 *
 * The code uses an equivalent form. Everything that depends on t is a scalar, so few passes over each tensor suffice:
 *
 *     w ← (1 − r·λ)·w − (r·s) · m / (√v + e),   s = √(1 − β₂ᵗ)/(1 − β₁ᵗ),  e = ε·√(1 − β₂ᵗ)
 *
 * Symbols: w weight, g gradient, m and v first and second moment, r learning rate (peak rate times the schedule's
 * factor), λ weight decay, t update number.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { inRegion } from "@/engine/tape.ts";
import type { ParameterPlan } from "@/train/layerwise.ts";

/** A parameter with its gradient, its moments and its optimizer settings; all tensors have the same shape. */
export type OptimizedParameter = {
  readonly plan: Pick<ParameterPlan, "learningRate" | "weightDecay">;
  readonly weight: tf.Tensor;
  readonly gradient: tf.Tensor;
  /** First moment m. */
  readonly first: tf.Tensor;
  /** Second moment v. */
  readonly second: tf.Tensor;
};

/** The scalars of a step that are the same for all parameters with the same number of updates. */
type StepScalars = Bias<tf.Tensor> & {
  /** The schedule's factor on the peak learning rates. */
  readonly rate: tf.Tensor;
};

/** AdamW's bias correction. */
export type Bias<T> = {
  /** The schedule's factor times s. */
  readonly corrected: T;
  /** e, the epsilon after the bias correction. */
  readonly epsilon: T;
};

/** The update of one parameter: its weight becomes (1 − schedule's factor · decay)·weight − rate·direction. */
export type Update = {
  readonly direction: tf.Tensor;
  /** Scalar, with the schedule's factor. */
  readonly rate: tf.Tensor;
  /** Without the schedule's factor; 0 for none. */
  readonly decay: number;
  /** The moments after the step. */
  readonly first: tf.Tensor;
  readonly second: tf.Tensor;
};

/** The updates of all parameters. */
export type Updates = {
  /** Global norm of the gradients before clipping. */
  readonly norm: tf.Tensor;
  /** Scalar by which the next transform that reads directions multiplies them; null for 1. */
  readonly factor: tf.Tensor | null;
  /** Traces the update of one parameter, so that a program handles one parameter after the other. */
  readonly of: (parameter: OptimizedParameter, scalars: StepScalars) => Update;
};

/** A part of the optimizer, or several in sequence. */
export type Transform = (updates: Updates) => Updates;

/** Applies transforms one after the other. */
export function chain(...transforms: readonly Transform[]): Transform {
  return (updates) => transforms.reduce((before, transform) => transform(before), updates);
}

/** Updates before the first transform: their directions are the gradients. */
export function startUpdates(parameters: readonly OptimizedParameter[]): Updates {
  const squares = parameters.map(({ gradient }) => tf.sum(tf.mul(gradient, gradient)));
  return {
    norm: tf.sqrt(squares.reduce((sum, each) => tf.add(sum, each))),
    factor: null,
    of: ({ gradient, first, second }, { rate }) => ({
      direction: gradient,
      rate,
      decay: 0,
      first,
      second,
    }),
  };
}

/** Weight and moments after an update, as new tensors; `rate` is the schedule's factor. */
export function applyUpdate(
  weight: tf.Tensor,
  { direction, rate: step, decay, first, second }: Update,
  rate: tf.Tensor,
): Pick<OptimizedParameter, "weight" | "first" | "second"> {
  return inRegion("update", () => {
    const move = tf.mul(direction, step);
    const decayed = decay === 0 ? weight : tf.mul(weight, tf.sub(1, tf.mul(rate, decay)));
    return { weight: tf.sub(decayed, move), first, second };
  });
}

/** Weight and moments of one parameter after a step that updates no other, as new tensors. */
export function updateAlone(
  optimizer: Transform,
  parameter: OptimizedParameter,
  scalars: StepScalars,
): ReturnType<typeof applyUpdate> {
  const update = optimizer(startUpdates([parameter])).of(parameter, scalars);
  return applyUpdate(parameter.weight, update, scalars.rate);
}

/** Divides gradients by the loss scale with which their loss was multiplied. */
export function unscale(lossScale: tf.Tensor): Transform {
  return (updates) => {
    const inverse = tf.reciprocal(lossScale);
    return { ...updates, norm: tf.mul(updates.norm, inverse), factor: inverse };
  };
}

/**
 * Scales gradients down to a global norm of at most `maxNorm` (Pascanu et al., arXiv 1211.5063). PyTorch 2.13
 * `clip_grad_norm_` adds the same 1e-6.
 */
export function clipByGlobalNorm(maxNorm: number): Transform {
  return (updates) => {
    const clip = tf.minimum(1, tf.div(maxNorm, tf.add(updates.norm, 1e-6)));
    return { ...updates, factor: updates.factor === null ? clip : tf.mul(clip, updates.factor) };
  };
}

/** β₁, β₂ and ε. */
export type AdamOptions = {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
};

/** Turns gradients into directions m / (√v + e) and multiplies their rate by s. */
export function scaleByAdam({ beta1, beta2 }: AdamOptions): Transform {
  return ({ norm, factor, of }) => ({
    norm,
    factor: null,
    of(parameter, scalars) {
      const update = of(parameter, scalars);
      return inRegion("adamw", () => {
        // d = (1 − β₁)·g is used for both moments; clipping comes before squaring.
        const d = tf.mul(update.direction, factor === null ? 1 - beta1 : tf.mul(factor, 1 - beta1));
        const m = tf.add(tf.mul(update.first, beta1), d);
        const kept = tf.mul(update.second, beta2);
        const v = tf.add(kept, tf.mul(tf.mul(d, d), (1 - beta2) / (1 - beta1) ** 2));
        const direction = tf.div(m, tf.add(tf.sqrt(v), scalars.epsilon));
        return { ...update, direction, rate: scalars.corrected, first: m, second: v };
      });
    },
  });
}

/** Computes the bias correction of update `t`, counted from 1, in float64; `rate` is the schedule's factor. */
export function computeBias(
  t: number,
  rate: number,
  { beta1, beta2, epsilon }: AdamOptions,
): Bias<number> {
  const root = Math.sqrt(1 - beta2 ** t);
  return { corrected: rate * root / (1 - beta1 ** t), epsilon: epsilon * root };
}

/** Traces the same scalars into a program. */
export function traceBias(
  t: tf.Tensor,
  rate: tf.Tensor,
  { beta1, beta2, epsilon }: AdamOptions,
): Bias<tf.Tensor> {
  const root = tf.sqrt(oneMinusPower(beta2, t));
  return {
    corrected: tf.div(tf.mul(rate, root), oneMinusPower(beta1, t)),
    epsilon: tf.mul(root, epsilon),
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

/** Decays each weight by its planned λ, 0 for biases and layer norms (decoupled weight decay, arXiv 1711.05101). */
export function addDecayedWeights(): Transform {
  return (updates) => ({
    ...updates,
    of(parameter, scalars) {
      const update = updates.of(parameter, scalars);
      return { ...update, decay: update.decay + parameter.plan.weightDecay };
    },
  });
}

/** Multiplies direction and decay by the peak learning rate of the parameter's group. */
export function scaleByLearningRate(): Transform {
  return ({ norm, factor, of }) => ({
    norm,
    factor: null,
    of(parameter, scalars) {
      const update = of(parameter, scalars);
      const { learningRate } = parameter.plan;
      const rate = tf.mul(update.rate, learningRate);
      return {
        ...update,
        rate: factor === null ? rate : tf.mul(rate, factor),
        decay: learningRate * update.decay,
      };
    },
  });
}
