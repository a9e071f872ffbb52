/**
 * A training step as compiled programs: one gradient program per task, which adds into gradient buffers that all tasks
 * share, and one update program for all parameters that the step updates.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossScaleConfig, LossWeights } from "@/config/config.ts";
import type { MultiTask } from "@/model/parameters.ts";
import type { Batch } from "@/text/example.ts";
import type { AdamOptions } from "@/train/adamw.ts";
import {
  createGradientProgram,
  type GradientOptions,
  type GradientProgram,
  type LossMetrics,
} from "@/train/gradient_program.ts";
import type { LayerwiseLearningRates } from "@/train/layerwise.ts";
import { createLossScaler, type LossScalerValues } from "@/train/loss_scale.ts";
import { readScalar } from "@/train/read_scalar.ts";
import {
  createTrainedParameters,
  disposeTrainedParameters,
  type TrainedGroup,
  type TrainedParameter,
} from "@/train/trained_parameters.ts";
import {
  createUpdateProgram,
  type UpdateGroup,
  type UpdateMetrics,
  type UpdateProgram,
} from "@/train/update_program.ts";

/** Options of {@link createTrainStep}; all are fixed for a run. */
export type StepOptions = {
  /** Tasks and the weights of their losses. */
  readonly tasks: readonly { readonly name: string; readonly weight: number }[];
  readonly learningRates: LayerwiseLearningRates;
  readonly weightDecay: number;
  readonly adam: AdamOptions;
  /** Maximum global norm of the gradients; null for no clipping. */
  readonly clipNorm: number | null;
  readonly dropout: GradientOptions["dropout"];
  /** Default: `fixed`, the weights in `tasks`. */
  readonly lossWeights?: LossWeights;
  /** Loss scaling, for mixed-float16; null (the default) for none. */
  readonly lossScale?: LossScaleConfig | null;
  /** Frozen parameters, in the syntax of `training.freeze`. */
  readonly freeze?: readonly string[];
  /** True if parameter groups start learning one by one; then every call must pass its stage. */
  readonly gradualUnfreezing?: boolean;
};

/** Options for one batch of a step. */
export type AccumulateOptions = {
  /** Weight of this micro-batch in the task's loss; the weights of a step's micro-batches sum to 1. Default: 1. */
  readonly batchWeight?: number;
  /** Stage of gradual unfreezing, see `freezing.ts`; by default the last one, in which every group learns. */
  readonly stage?: number;
};

/** State of the steps besides the tensors. */
export type StepState = {
  /** Number of updates of each {@link UpdateGroup}, by name. */
  readonly updates: Readonly<Record<string, number>>;
  readonly lossScaler: LossScalerValues | null;
};

/** The programs of a run's steps and their state. */
export type TrainStep = {
  readonly parameters: readonly TrainedParameter[];
  readonly groups: readonly TrainedGroup[];
  /** True if steps with non-finite gradients are skipped. */
  readonly scalesLoss: boolean;
  /** Adds the gradient of the task's loss on a batch into the gradient buffers, in place. */
  accumulate(
    task: string,
    batch: Batch,
    dropoutSeed: number,
    options?: AccumulateOptions,
  ): Promise<LossMetrics>;
  /**
   * Updates the parameters of all tasks with a gradient since the last update, in place, and clears the gradients.
   * Other parameters neither change nor decay, like a parameter without gradient in PyTorch.
   */
  update(
    options: { readonly factor: number; readonly stage?: number },
  ): Promise<UpdateMetrics>;
  /** The learned log σ² of each task; empty if the loss weights are fixed. */
  readLogVariances(): Promise<Readonly<Record<string, number>>>;
  readState(): Promise<StepState>;
  /** Restores a saved state, in place. */
  restoreState(state: StepState): void;
  /** Frees gradients and moments, but not the model. */
  dispose(): void;
};

/**
 * Groups parameters that have the same tasks and the same unfreezing stage: they are always updated together.
 * `countOnHost` is false if the update program counts the updates.
 */
function createUpdateGroups(
  parameters: readonly TrainedParameter[],
  countOnHost: boolean,
): UpdateGroup[] {
  const members = new Map<string, TrainedParameter[]>();
  for (const parameter of parameters) {
    const name = `${parameter.tasks.join("+")} ${parameter.stage}`;
    const known = members.get(name);
    if (known) known.push(parameter);
    else members.set(name, [parameter]);
  }
  return [...members].map(([name, parameters]) => ({
    name,
    parameters,
    updates: countOnHost ? { count: 0 } : tf.tidy(() => tf.variable(tf.scalar(0), false)),
  }));
}

/** Creates the programs of a run; each is compiled when it is first used. */
export function createTrainStep(model: MultiTask, options: StepOptions): TrainStep {
  const { tasks, lossScale = null, lossWeights = "fixed", freeze = [], gradualUnfreezing = false } =
    options;
  const trained = createTrainedParameters(model, {
    ...options,
    freeze,
    gradualUnfreezing,
    learnsLossWeights: lossWeights === "uncertainty",
  });
  const { parameters, groups, logVariances } = trained;
  const scaler = lossScale === null ? null : createLossScaler(lossScale);
  const scaling = scaler === null || lossScale === null ? null : { scaler, config: lossScale };
  const updateGroups = createUpdateGroups(parameters, scaling === null);
  const last = Math.max(...parameters.map(({ stage }) => stage));
  const gradients = new Map<string, GradientProgram>(), updates = new Map<string, UpdateProgram>();
  const tasksWithGradient = new Set<string>();

  const gradientProgram = (name: string, stage: number): GradientProgram => {
    const key = `${name} ${Math.min(stage, last)}`;
    const known = gradients.get(key);
    if (known !== undefined) return known;
    const task = tasks.find((each) => each.name === name);
    if (task === undefined) throw new TypeError(`internal: no gradient program of ${name}`);
    const made = createGradientProgram(model, {
      task: name,
      parameters: parameters.filter((each) => each.stage <= stage && each.tasks.includes(name)),
      dropout: options.dropout,
      lossWeight: task.weight,
      logVariance: logVariances.get(name) ?? null,
      scale: scaler?.scale ?? null,
    });
    gradients.set(key, made);
    return made;
  };
  const updateProgram = (stage: number): UpdateProgram => {
    const key = `${tasks.map(({ name }) => tasksWithGradient.has(name))} ${Math.min(stage, last)}`;
    const known = updates.get(key);
    if (known !== undefined) return known;
    const updated = updateGroups.filter(({ parameters: [first] }) =>
      first !== undefined && first.stage <= stage &&
      first.tasks.some((task) => tasksWithGradient.has(task))
    );
    const made = createUpdateProgram(updated, { ...options, scaling });
    updates.set(key, made);
    return made;
  };

  return {
    parameters,
    groups,
    scalesLoss: scaler !== null,
    async accumulate(task, batch, dropoutSeed, { batchWeight = 1, stage = last } = {}) {
      const metrics = await gradientProgram(task, stage)(batch, { dropoutSeed, batchWeight });
      tasksWithGradient.add(task);
      return metrics;
    },
    async update({ factor, stage = last }) {
      const metrics = await updateProgram(stage)(factor);
      tasksWithGradient.clear();
      return metrics;
    },
    async readLogVariances() {
      const values: Record<string, number> = {};
      for (const [task, variable] of logVariances) values[task] = await readScalar(variable);
      return values;
    },
    async readState() {
      const counts: Record<string, number> = {};
      for (const { name, updates } of updateGroups) {
        counts[name] = updates instanceof tf.Variable ? await readScalar(updates) : updates.count;
      }
      const lossScaler = scaler === null
        ? null
        : { scale: await readScalar(scaler.scale), streak: await readScalar(scaler.streak) };
      return { updates: counts, lossScaler };
    },
    restoreState(state) {
      const set = (variable: tf.Variable, value: number) =>
        tf.tidy(() => variable.assign(tf.scalar(value)));
      for (const { name, updates } of updateGroups) {
        const count = state.updates[name] ?? 0;
        if (updates instanceof tf.Variable) set(updates, count);
        else updates.count = count;
      }
      if (scaler === null || state.lossScaler === null) return;
      set(scaler.scale, state.lossScaler.scale);
      set(scaler.streak, state.lossScaler.streak);
    },
    dispose() {
      disposeTrainedParameters(trained);
      for (const { updates } of updateGroups) if (updates instanceof tf.Variable) updates.dispose();
      if (scaler !== null) tf.dispose([scaler.scale, scaler.streak]);
    },
  };
}
