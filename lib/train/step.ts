/**
 * One step of training as compiled programs: a gradient program for each task, which adds into buffers that
 * all tasks share, and one update program over all that the step moves.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossScaleConfig, LossWeights } from "@/config.ts";
import type { MultiTask } from "@/model/parameters.ts";
import type { Batch } from "@/text/example.ts";
import type { AdamOptions } from "@/train/adamw.ts";
import {
  createGradientProgram,
  type GradientOptions,
  type GradientProgram,
  type LossMetrics,
} from "@/train/gradient_program.ts";
import type { LayerwiseRates } from "@/train/layerwise.ts";
import { createLossScaler, type LossScalerValues } from "@/train/loss_scale.ts";
import { readScalar } from "@/train/read_scalar.ts";
import {
  createTrainedParameters,
  disposeTrainedParameters,
  type TrainedGroup,
  type TrainedParameter,
} from "@/train/trained_parameters.ts";
import {
  type Cohort,
  createUpdateProgram,
  type UpdateMetrics,
  type UpdateProgram,
} from "@/train/update_program.ts";

/** How steps are made; all of it is fixed for a run. */
export type StepOptions = {
  /** Tasks by name, with the factor of each one's loss in the sum. */
  readonly tasks: readonly { readonly name: string; readonly weight: number }[];
  readonly rates: LayerwiseRates;
  readonly weightDecay: number;
  readonly adam: AdamOptions;
  /** Null: gradients are not clipped. */
  readonly clipNorm: number | null;
  readonly dropout: GradientOptions["dropout"];
  /** By default the tasks' own. */
  readonly lossWeights?: LossWeights;
  /** Of float16; null, the default: the loss is not scaled. */
  readonly lossScale?: LossScaleConfig | null;
  /** Names as `training.freeze` has them. */
  readonly freeze?: readonly string[];
  /** Whether groups begin to learn one after the other; then every call must name its stage. */
  readonly gradual?: boolean;
};

/** How one batch takes part in a step. */
export type AccumulateOptions = {
  /** The part of the task's loss in this step that this batch is. */
  readonly share?: number;
  /** What has begun to learn; see `freezing.ts`. */
  readonly stage?: number;
};

/** Numbers beside the tensors that steps go on from. */
export type StepState = {
  /** How often the parameters of each cohort were moved. */
  readonly updates: Readonly<Record<string, number>>;
  readonly lossScaler: LossScalerValues | null;
};

/** The programs of a run's steps and the state they work on. */
export type TrainStep = {
  readonly parameters: readonly TrainedParameter[];
  readonly groups: readonly TrainedGroup[];
  /** Whether steps with gradients that are not finite are skipped. */
  readonly scalesLoss: boolean;
  /** Adds the gradient of `task` over a batch into the gradient buffers, in place. */
  accumulate(
    task: string,
    batch: Batch,
    dropoutSeed: number,
    options?: AccumulateOptions,
  ): Promise<LossMetrics>;
  /**
   * Moves in place what the gradients since the last update reach, and clears the gradients. What they
   * do not reach neither moves nor decays, as in PyTorch a parameter without a gradient.
   */
  update(
    options: { readonly factor: number; readonly stage?: number },
  ): Promise<UpdateMetrics>;
  /** The learned log σ² of each task; empty where factors are given. */
  readLogVariances(): Promise<Readonly<Record<string, number>>>;
  readState(): Promise<StepState>;
  /** Puts a saved state back, in place. */
  restoreState(state: StepState): void;
  /** Frees gradients and moments; the model stays. */
  dispose(): void;
};

/** Parameters by the tasks that reach them and the stage in which they begin: they move together. */
function formCohorts(parameters: readonly TrainedParameter[], counted: boolean): Cohort[] {
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
    updates: counted ? { count: 0 } : tf.tidy(() => tf.variable(tf.scalar(0), false)),
  }));
}

/** Makes the programs of a run. */
export function createTrainStep(model: MultiTask, options: StepOptions): TrainStep {
  const { tasks, lossScale = null, lossWeights = "fixed", freeze = [], gradual = false } = options;
  const trained = createTrainedParameters(model, {
    ...options,
    freeze,
    gradual,
    learnsLossWeights: lossWeights === "uncertainty",
  });
  const { parameters, groups, logVariances } = trained;
  const scaler = lossScale === null ? null : createLossScaler(lossScale);
  const scaling = scaler === null || lossScale === null ? null : { scaler, config: lossScale };
  const cohorts = formCohorts(parameters, scaling === null);
  const last = Math.max(...parameters.map(({ stage }) => stage));
  const gradients = new Map<string, GradientProgram>(), updates = new Map<string, UpdateProgram>();
  const touched = new Set<string>();

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
    const key = `${tasks.map(({ name }) => touched.has(name))} ${Math.min(stage, last)}`;
    const known = updates.get(key);
    if (known !== undefined) return known;
    const moved = cohorts.filter(({ parameters: [first] }) =>
      first !== undefined && first.stage <= stage && first.tasks.some((task) => touched.has(task))
    );
    const made = createUpdateProgram(moved, { ...options, scaling });
    updates.set(key, made);
    return made;
  };

  return {
    parameters,
    groups,
    scalesLoss: scaler !== null,
    async accumulate(task, batch, dropoutSeed, { share = 1, stage = last } = {}) {
      const metrics = await gradientProgram(task, stage)(batch, { dropoutSeed, share });
      touched.add(task);
      return metrics;
    },
    async update({ factor, stage = last }) {
      const metrics = await updateProgram(stage)(factor);
      touched.clear();
      return metrics;
    },
    async readLogVariances() {
      const values: Record<string, number> = {};
      for (const [task, variable] of logVariances) values[task] = await readScalar(variable);
      return values;
    },
    async readState() {
      const counts: Record<string, number> = {};
      for (const { name, updates } of cohorts) {
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
      for (const { name, updates } of cohorts) {
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
      for (const { updates } of cohorts) if (updates instanceof tf.Variable) updates.dispose();
      if (scaler !== null) tf.dispose([scaler.scale, scaler.streak]);
    },
  };
}
