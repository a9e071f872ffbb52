/**
 * The compiled update: one program for all parameters that a step updates. It unscales and clips the gradients, applies
 * AdamW, updates the loss scale and clears the gradients.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossScaleConfig } from "@/config/config.ts";
import { jit } from "@/engine/jit.ts";
import {
  type AdamOptions,
  type AdamScalars,
  adamStep,
  adamUpdate,
  traceAdamStep,
} from "@/train/adamw.ts";
import { clipFactor, globalNorm } from "@/train/clip.ts";
import { isFiniteNorm, type LossScaler, updateLossScaler } from "@/train/loss_scale.ts";
import { readScalar } from "@/train/read_scalar.ts";
import type { TrainedParameter } from "@/train/trained_parameters.ts";

/** Parameters that are always updated in the same steps, so they share one update count. */
export type UpdateGroup = {
  readonly name: string;
  readonly parameters: readonly TrainedParameter[];
  /** Number of updates so far: a variable with loss scaling, where only the program knows which steps are skipped. */
  readonly updates: { count: number } | tf.Variable<tf.Rank.R0>;
};

/** Options of {@link createUpdateProgram}; all are fixed for a run. */
export type UpdateOptions = {
  readonly adam: AdamOptions;
  /** Maximum global norm of the gradients; null for no clipping. */
  readonly clipNorm: number | null;
  /** Loss scaling, for mixed-float16; null for none. */
  readonly scaling: { readonly scaler: LossScaler; readonly config: LossScaleConfig } | null;
};

/** Metrics of an update. */
export type UpdateMetrics = {
  /** Global norm of all gradients, unscaled, before clipping. */
  readonly gradientNorm: number;
  /** True if the step was skipped because of a non-finite gradient; only with loss scaling. */
  readonly skipped: boolean;
  /** The loss scale of the next step; null without loss scaling. */
  readonly lossScale: number | null;
};

/** Updates parameters and moments in place; `factor` is the schedule's factor on the peak learning rates. */
export type UpdateProgram = (factor: number) => Promise<UpdateMetrics>;

/** Creates the program that updates the given groups. */
export function createUpdateProgram(
  updateGroups: readonly UpdateGroup[],
  options: UpdateOptions,
): UpdateProgram {
  return options.scaling === null
    ? createPlainUpdate(updateGroups, options)
    : createScaledUpdate(updateGroups, options, options.scaling);
}

type Updated = ReturnType<typeof adamUpdate>;

/** Traces AdamW for a group; `select` chooses between a new value and the old one. */
function traceUpdate(
  { parameters }: UpdateGroup,
  scalars: AdamScalars,
  adam: AdamOptions,
  select: (updated: tf.Tensor, old: tf.Variable) => tf.Tensor = (updated) => updated,
): void {
  for (const { plan, weight, gradient, first, second } of parameters) {
    const updated: Updated = adamUpdate(
      { weight, gradient, first, second },
      scalars,
      { ...adam, learningRate: plan.learningRate, weightDecay: plan.weightDecay },
    );
    weight.assign(select(updated.weight, weight));
    first.assign(select(updated.first, first));
    second.assign(select(updated.second, second));
    gradient.assign(tf.zerosLike(gradient));
  }
}

/** Global norm of the gradients of all groups. */
function normOf(updateGroups: readonly UpdateGroup[]): tf.Scalar {
  return globalNorm(
    updateGroups.flatMap(({ parameters }) => parameters.map((each) => each.gradient)),
  );
}

/** Update without loss scaling: the host counts updates and computes their scalars in float64. */
function createPlainUpdate(
  updateGroups: readonly UpdateGroup[],
  { adam, clipNorm }: UpdateOptions,
): UpdateProgram {
  type Inputs = { readonly factor: tf.Scalar; readonly [scalar: string]: tf.Scalar };
  const program = jit("update", (inputs: Inputs) => {
    const norm = normOf(updateGroups);
    const clip = clipNorm === null ? tf.scalar(1) : clipFactor(norm, clipNorm);
    updateGroups.forEach((group, i) => {
      const scale = inputs[`scale${i}`], epsilon = inputs[`epsilon${i}`];
      if (!scale || !epsilon) throw new TypeError("internal: a group has no scalars");
      traceUpdate(group, { factor: inputs.factor, scale, epsilon, clip }, adam);
    });
    return { norm };
  });
  return async (factor) => {
    const inputs: Record<string, tf.Scalar> & Inputs = { factor: tf.scalar(factor) };
    updateGroups.forEach(({ updates }, i) => {
      if (updates instanceof tf.Variable) throw new TypeError("internal: updates are a variable");
      const { scale, epsilon } = adamStep(++updates.count, factor, adam);
      inputs[`scale${i}`] = tf.scalar(scale);
      inputs[`epsilon${i}`] = tf.scalar(epsilon);
    });
    const outputs = await program(inputs);
    const gradientNorm = await readScalar(outputs.norm);
    tf.dispose([inputs, outputs]);
    return { gradientNorm, skipped: false, lossScale: null };
  };
}

/** Update with loss scaling: the program decides if the step is skipped, and counts the updates. */
function createScaledUpdate(
  updateGroups: readonly UpdateGroup[],
  { adam, clipNorm }: UpdateOptions,
  { scaler, config }: NonNullable<UpdateOptions["scaling"]>,
): UpdateProgram {
  const program = jit("update", ({ factor }: { readonly factor: tf.Scalar }) => {
    const scaledNorm = normOf(updateGroups);
    const finite = isFiniteNorm(scaledNorm);
    const inverse = tf.reciprocal(scaler.scale) as tf.Scalar;
    const norm = tf.mul(scaledNorm, inverse) as tf.Scalar;
    // Unscale, then clip, with one factor.
    const clip = clipNorm === null
      ? inverse
      : tf.mul(clipFactor(norm, clipNorm), inverse) as tf.Scalar;
    for (const group of updateGroups) {
      const { updates } = group;
      if (!(updates instanceof tf.Variable)) throw new TypeError("internal: updates are a number");
      const t = tf.add(updates, 1);
      traceUpdate(
        group,
        { ...traceAdamStep(t, factor, adam), clip },
        adam,
        (updated, old) => tf.where(finite, updated, old),
      );
      updates.assign(tf.where(finite, t, updates) as tf.Scalar);
    }
    updateLossScaler(scaler, finite, config);
    return { norm, finite: tf.cast(finite, "float32"), lossScale: tf.mul(scaler.scale, 1) };
  });
  return async (factor) => {
    const inputs = { factor: tf.scalar(factor) };
    const outputs = await program(inputs);
    const gradientNorm = await readScalar(outputs.norm);
    const skipped = await readScalar(outputs.finite) === 0;
    const lossScale = await readScalar(outputs.lossScale);
    tf.dispose([inputs, outputs]);
    return { gradientNorm, skipped, lossScale };
  };
}
