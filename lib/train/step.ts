/**
 * One step of training as compiled programs: a gradient program for each task (and padded length),
 * which adds into buffers that all tasks share, and one update program over all parameters.
 *
 * Shapes: B rows, T pieces, C labels of the task.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { clearVariable } from "@/engine/buffers.ts";
import { jit } from "@/engine/jit.ts";
import { runTask } from "@/model/multi_task.ts";
import { type MultiTask, namedParameters } from "@/model/parameters.ts";
import type { Batch } from "@/text/example.ts";
import { type AdamOptions, type AdamStep, adamUpdate } from "@/train/adamw.ts";
import { clipFactor, globalNorm } from "@/train/clip.ts";
import {
  type LayerwiseRates,
  type ParameterGroup,
  type ParameterPlan,
  planParameters,
} from "@/train/layerwise.ts";
import { countLabels, crossEntropy } from "@/train/losses.ts";

/** How steps are made; all of it is fixed for a run. */
export type StepOptions = {
  /** Tasks by name, with the factor of each one's loss in the sum. */
  readonly tasks: readonly { readonly name: string; readonly weight: number }[];
  readonly rates: LayerwiseRates;
  readonly weightDecay: number;
  readonly adam: AdamOptions;
  /** Null: gradients are not clipped. */
  readonly clipNorm: number | null;
  readonly dropout: { readonly hidden: number; readonly attention: number; readonly head: number };
};

/** A parameter that learns, with its gradient and moments, all variables of one shape. */
export type TrainedParameter = {
  readonly plan: ParameterPlan;
  readonly weight: tf.Variable;
  readonly gradient: tf.Variable;
  readonly first: tf.Variable;
  readonly second: tf.Variable;
};

/** What a batch's loss was made of. */
export type LossMetrics = {
  /** Mean over the counted labels, before the task's weight. */
  readonly loss: number;
  /** Labels counted: rows of a classification, words of a tagging. */
  readonly count: number;
};

/** The programs of a run's steps and the state they work on. */
export type TrainStep = {
  readonly parameters: readonly TrainedParameter[];
  readonly groups: readonly ParameterGroup[];
  /** Adds the gradient of `task` over a batch into the gradient buffers, in place. */
  accumulate(task: string, batch: Batch, dropoutSeed: number): Promise<LossMetrics>;
  /** Moves parameters and moments in place by the gradients, which are zero afterwards. */
  update(scalars: AdamStep): Promise<{ readonly gradientNorm: number }>;
  /** Frees gradients and moments; the model stays. */
  dispose(): void;
};

type GradientInputs = {
  /** [B, T] int32 */
  readonly ids: tf.Tensor2D;
  /** [B, T] int32 */
  readonly mask: tf.Tensor2D;
  /** [B] or [B · T] int32 */
  readonly labels: tf.Tensor1D;
  /** int32 */
  readonly seed: tf.Scalar;
};

/** Names of the variables that the loss of a task reaches; by a trial on one short row. */
function findReached(model: MultiTask, task: string): ReadonlySet<string> {
  const names = new Set<string>();
  tf.tidy(() => {
    const ids = tf.zeros<tf.Rank.R2>([1, 2], "int32");
    const mask = tf.ones<tf.Rank.R2>([1, 2], "int32");
    const { grads } = tf.variableGrads(() => tf.sum(runTask(model, task, { ids, mask })));
    for (const name of Object.keys(grads)) names.add(name);
  });
  return names;
}

/** Zeros like `weight`, as a variable that no gradient is sought for. */
function zerosFor(weight: tf.Variable): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zeros(weight.shape), false));
}

/**
 * Makes the programs of a run. A parameter that no task reaches (the pooler under mean pooling) is in
 * none of them: as in PyTorch it neither moves nor decays.
 */
export function createTrainStep(model: MultiTask, options: StepOptions): TrainStep {
  const { tasks, rates, weightDecay, adam, clipNorm, dropout } = options;
  const reached = new Map(tasks.map(({ name }) => [name, findReached(model, name)]));
  const learning = namedParameters(model).filter(({ variable }) =>
    [...reached.values()].some((names) => names.has(variable.name))
  );
  const { plans, groups } = planParameters(
    learning.map(({ name, variable }) => ({ name, shape: variable.shape })),
    { layers: model.encoder.config.layers, rates, weightDecay },
  );
  const parameters = learning.flatMap(({ variable: weight }, i): TrainedParameter[] => {
    const plan = plans[i];
    if (plan === undefined) throw new TypeError("internal: a parameter has no plan");
    return [{
      plan,
      weight,
      gradient: zerosFor(weight),
      first: zerosFor(weight),
      second: zerosFor(weight),
    }];
  });

  const gradientPrograms = new Map(tasks.map(({ name, weight: lossWeight }) => {
    const own = parameters.filter(({ weight }) => reached.get(name)?.has(weight.name));
    const variables = own.map(({ weight }) => weight);
    const program = jit(`gradient.${name}`, ({ ids, mask, labels, seed }: GradientInputs) => {
      const { value, grads } = tf.variableGrads(() => {
        const logits = runTask(model, name, { ids, mask, dropout: { seed, ...dropout } });
        return tf.mul(crossEntropy(logits, labels), lossWeight) as tf.Scalar;
      }, variables);
      for (const { weight, gradient } of own) {
        const added = grads[weight.name];
        if (added === undefined) throw new TypeError(`internal: no gradient of ${weight.name}`);
        gradient.assign(tf.add(gradient, added));
      }
      return { weighted: value, count: countLabels(labels) };
    });
    return [name, { program, lossWeight }] as const;
  }));

  const updateProgram = jit(
    "update",
    (scalars: { factor: tf.Scalar; scale: tf.Scalar; epsilon: tf.Scalar }) => {
      const norm = globalNorm(parameters.map(({ gradient }) => gradient));
      const clip = clipNorm === null ? tf.scalar(1) : clipFactor(norm, clipNorm);
      for (const { plan, weight, gradient, first, second } of parameters) {
        const moved = adamUpdate(
          { weight, gradient, first, second },
          { ...scalars, clip },
          { ...adam, learningRate: plan.learningRate, weightDecay: plan.weightDecay },
        );
        weight.assign(moved.weight);
        first.assign(moved.first);
        second.assign(moved.second);
      }
      return { norm };
    },
  );

  return {
    parameters,
    groups,
    async accumulate(task, { rows, length, ids, mask, labels }, dropoutSeed) {
      const found = gradientPrograms.get(task);
      if (found === undefined) throw new TypeError(`internal: no gradient program of ${task}`);
      const inputs: GradientInputs = {
        ids: tf.tensor2d(ids, [rows, length], "int32"),
        mask: tf.tensor2d(mask, [rows, length], "int32"),
        labels: tf.tensor1d(labels, "int32"),
        seed: tf.scalar(dropoutSeed, "int32"),
      };
      const outputs = await found.program(inputs);
      const [weighted, count] = [
        await readScalar(outputs.weighted),
        await readScalar(outputs.count),
      ];
      tf.dispose([inputs, outputs]);
      return { loss: weighted / found.lossWeight, count };
    },
    async update({ factor, scale, epsilon }) {
      const inputs = {
        factor: tf.scalar(factor),
        scale: tf.scalar(scale),
        epsilon: tf.scalar(epsilon),
      };
      const outputs = await updateProgram(inputs);
      const gradientNorm = await readScalar(outputs.norm);
      tf.dispose([inputs, outputs]);
      for (const { gradient } of parameters) clearVariable(gradient);
      return { gradientNorm };
    },
    dispose() {
      for (const { gradient, first, second } of parameters) tf.dispose([gradient, first, second]);
    },
  };
}

/** The value of a scalar. */
async function readScalar(scalar: tf.Tensor): Promise<number> {
  const [value] = await scalar.data();
  return value ?? NaN;
}
