/**
 * The compiled update: one program over all parameters that a step moves, which unscales and clips the
 * gradients, does a step of AdamW, minds the loss scale and clears the gradients.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossScaleConfig } from "@/config.ts";
import { jit } from "@/engine/jit.ts";
import {
  type AdamOptions,
  type AdamScalars,
  adamStep,
  adamUpdate,
  recordAdamStep,
} from "@/train/adamw.ts";
import { clipFactor, globalNorm } from "@/train/clip.ts";
import { isFiniteNorm, type LossScaler, updateLossScaler } from "@/train/loss_scale.ts";
import { readScalar } from "@/train/read_scalar.ts";
import type { TrainedParameter } from "@/train/trained_parameters.ts";

/** Parameters that are always moved in the same steps. */
export type Cohort = {
  readonly name: string;
  readonly parameters: readonly TrainedParameter[];
  /** How often they were moved: a variable where the program alone knows, under a loss scale. */
  readonly updates: { count: number } | tf.Variable<tf.Rank.R0>;
};

/** How parameters are moved; all of it is fixed for a run. */
export type UpdateOptions = {
  readonly adam: AdamOptions;
  /** Null: gradients are not clipped. */
  readonly clipNorm: number | null;
  /** Of float16; null: gradients are taken as they are. */
  readonly scaling: { readonly scaler: LossScaler; readonly config: LossScaleConfig } | null;
};

/** What an update was. */
export type UpdateMetrics = {
  /** Of all gradients together, unscaled, before clipping. */
  readonly gradientNorm: number;
  /** Whether nothing moved, since a gradient was not finite under a loss scale. */
  readonly skipped: boolean;
  /** The loss scale of the next step; null without one. */
  readonly lossScale: number | null;
};

/** Moves parameters and moments in place, at the schedule's factor of their peak rates. */
export type UpdateProgram = (factor: number) => Promise<UpdateMetrics>;

/** Makes the program for some cohorts. */
export function createUpdateProgram(
  cohorts: readonly Cohort[],
  options: UpdateOptions,
): UpdateProgram {
  return options.scaling === null
    ? createPlainUpdate(cohorts, options)
    : createScaledUpdate(cohorts, options, options.scaling);
}

type Moved = ReturnType<typeof adamUpdate>;

/** Records what AdamW makes of a cohort; `settle` says what is kept of it. */
function recordCohort(
  { parameters }: Cohort,
  scalars: AdamScalars,
  adam: AdamOptions,
  settle: (moved: tf.Tensor, old: tf.Variable) => tf.Tensor = (moved) => moved,
): void {
  for (const { plan, weight, gradient, first, second } of parameters) {
    const moved: Moved = adamUpdate(
      { weight, gradient, first, second },
      scalars,
      { ...adam, learningRate: plan.learningRate, weightDecay: plan.weightDecay },
    );
    weight.assign(settle(moved.weight, weight));
    first.assign(settle(moved.first, first));
    second.assign(settle(moved.second, second));
    gradient.assign(tf.zerosLike(gradient));
  }
}

/** Norm of the gradients of all cohorts. */
function normOf(cohorts: readonly Cohort[]): tf.Scalar {
  return globalNorm(cohorts.flatMap(({ parameters }) => parameters.map((each) => each.gradient)));
}

/** Without a loss scale: the host counts updates and works out their scalars in float64. */
function createPlainUpdate(
  cohorts: readonly Cohort[],
  { adam, clipNorm }: UpdateOptions,
): UpdateProgram {
  type Inputs = { readonly factor: tf.Scalar; readonly [scalar: string]: tf.Scalar };
  const program = jit("update", (inputs: Inputs) => {
    const norm = normOf(cohorts);
    const clip = clipNorm === null ? tf.scalar(1) : clipFactor(norm, clipNorm);
    cohorts.forEach((cohort, i) => {
      const scale = inputs[`scale${i}`], epsilon = inputs[`epsilon${i}`];
      if (!scale || !epsilon) throw new TypeError("internal: a cohort has no scalars");
      recordCohort(cohort, { factor: inputs.factor, scale, epsilon, clip }, adam);
    });
    return { norm };
  });
  return async (factor) => {
    const inputs: Record<string, tf.Scalar> & Inputs = { factor: tf.scalar(factor) };
    cohorts.forEach(({ updates }, i) => {
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

/** With a loss scale: the program decides whether anything moves, and counts the times that it does. */
function createScaledUpdate(
  cohorts: readonly Cohort[],
  { adam, clipNorm }: UpdateOptions,
  { scaler, config }: NonNullable<UpdateOptions["scaling"]>,
): UpdateProgram {
  const program = jit("update", ({ factor }: { readonly factor: tf.Scalar }) => {
    const scaledNorm = normOf(cohorts);
    const finite = isFiniteNorm(scaledNorm);
    const inverse = tf.reciprocal(scaler.scale) as tf.Scalar;
    const norm = tf.mul(scaledNorm, inverse) as tf.Scalar;
    // Unscaled, then clipped: both factors at once.
    const clip = clipNorm === null
      ? inverse
      : tf.mul(clipFactor(norm, clipNorm), inverse) as tf.Scalar;
    for (const cohort of cohorts) {
      const { updates } = cohort;
      if (!(updates instanceof tf.Variable)) throw new TypeError("internal: updates are a number");
      const t = tf.add(updates, 1);
      recordCohort(
        cohort,
        { ...recordAdamStep(t, factor, adam), clip },
        adam,
        (moved, old) => tf.where(finite, moved, old),
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
