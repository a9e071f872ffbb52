/**
 * The trained parameters of a run, with their gradients and optimizer state: which parameters learn, and from when.
 *
 * In gradual unfreezing (Howard and Ruder, arXiv 1801.06146, section 3.3), only the heads learn at first. Then the
 * layers join one by one from the top, and the embeddings last. Parameters in `training.freeze` never learn.
 * A stage is the period between two such events; stage 0 is the first.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { LossWeights } from "@/config/config.ts";
import { runTask } from "@/model/multi_task.ts";
import { type MultiTask, namedParameters } from "@/model/parameters.ts";
import {
  type LayerwiseLearningRates,
  type ParameterGroup,
  type ParameterPlan,
  planParameters,
} from "@/train/layerwise.ts";

/** A trained parameter with its gradient and moments; all are variables of the same shape. */
export type TrainedParameter = {
  readonly plan: ParameterPlan;
  readonly weight: tf.Variable;
  readonly gradient: tf.Variable;
  readonly first: tf.Variable;
  readonly second: tf.Variable;
  /** Names of the tasks whose loss depends on it. */
  readonly tasks: readonly string[];
  /** The stage in which it starts learning. */
  readonly stage: number;
};

/** A parameter group with the stage in which it starts learning. */
export type TrainedGroup = ParameterGroup & { readonly stage: number };

/** All trained parameters of a run, learned task weights included. */
export type TrainedParameters = {
  readonly parameters: readonly TrainedParameter[];
  readonly groups: readonly TrainedGroup[];
  /** Frees gradients, moments and learned task weights, but not the model. */
  dispose(): void;
};

/** Options of {@link createTrainedParameters}. */
export type LearningOptions = {
  readonly tasks: readonly { readonly name: string }[];
  readonly learningRates: LayerwiseLearningRates;
  readonly weightDecay: number;
  /** Frozen parameters, in the syntax of `training.freeze`. */
  readonly freeze?: readonly string[];
  /** True if parameter groups start learning one by one. */
  readonly gradualUnfreezing?: boolean;
  /** `fixed` is the default; `uncertainty` adds a log variance for each task. */
  readonly lossWeights?: LossWeights;
};

/**
 * Name of the group of parameters that are always updated in the same steps, because they have the same tasks and the
 * same stage. They therefore share the number of updates.
 */
export function updateGroupOf({ tasks, stage }: TrainedParameter): string {
  return `${tasks.join("+")} ${stage}`;
}

/** Name of the parameter log σ² that a task's loss weight is learned as. */
export function logVarianceName(task: string): string {
  return `uncertainty.${task}`;
}

/** The learned log σ² of each task; empty if the task weights are fixed. */
export async function readLogVariances(
  parameters: readonly TrainedParameter[],
): Promise<Readonly<Record<string, number>>> {
  const values: Record<string, number> = {};
  for (const { plan, weight, tasks: [task = ""] } of parameters) {
    if (plan.name === logVarianceName(task)) values[task] = (await weight.data())[0] ?? NaN;
  }
  return values;
}

/** Names of the variables that a task's loss depends on, found by a backward pass over one short row. */
function findTaskVariables(model: MultiTask, task: string): ReadonlySet<string> {
  const names = new Set<string>();
  tf.tidy(() => {
    const ids = tf.zeros<tf.Rank.R2>([1, 2], "int32");
    const mask = tf.ones<tf.Rank.R2>([1, 2], "int32");
    const { grads } = tf.variableGrads(() => tf.sum(runTask(model, task, { ids, mask })));
    for (const name of Object.keys(grads)) names.add(name);
  });
  return names;
}

/** A variable of zeros. */
function zerosOf(shape: number[], trainable = false): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zeros(shape), trainable));
}

/**
 * Lists the trained parameters and creates their gradients and moments. It excludes frozen parameters and those that no
 * task depends on (such as the pooler with mean pooling): they neither change nor decay, as in PyTorch.
 *
 * @throws {RangeError} if no parameter of a task learns in stage 0
 */
export function createTrainedParameters(
  model: MultiTask,
  options: LearningOptions,
): TrainedParameters {
  const { tasks, learningRates, weightDecay } = options;
  const { freeze = [], gradualUnfreezing = false, lossWeights = "fixed" } = options;
  const { layers } = model.encoder.config;
  checkFreeze(freeze, layers);
  const taskVariables = tasks.map(({ name }) => ({
    name,
    variables: findTaskVariables(model, name),
  }));
  const logVariances = new Map(
    lossWeights === "uncertainty" ? tasks.map(({ name }) => [name, zerosOf([], true)]) : [],
  );
  const trainable = [
    ...namedParameters(model).map(({ name, variable }) => ({
      name,
      variable,
      tasks: taskVariables.flatMap((task) => task.variables.has(variable.name) ? [task.name] : []),
    })),
    ...[...logVariances].map(([task, variable]) => ({
      name: logVarianceName(task),
      variable,
      tasks: [task],
    })),
  ].filter(({ name, tasks }) => tasks.length > 0 && !isFrozen(name, freeze));
  const { plans, groups } = planParameters(
    trainable.map(({ name, variable }) => ({ name, shape: variable.shape })),
    { layers, learningRates, weightDecay },
  );
  const stages = gradualUnfreezing ? planUnfreezing(groups) : new Map<string, number>();
  const parameters = trainable.flatMap(({ variable: weight, tasks }, i): TrainedParameter[] => {
    const plan = plans[i];
    if (plan === undefined) throw new TypeError("internal: a parameter has no plan");
    return [{
      plan,
      weight,
      gradient: zerosOf(weight.shape),
      first: zerosOf(weight.shape),
      second: zerosOf(weight.shape),
      tasks,
      stage: stages.get(plan.group) ?? 0,
    }];
  });
  const dispose = () => {
    for (const { gradient, first, second } of parameters) tf.dispose([gradient, first, second]);
    for (const variable of logVariances.values()) variable.dispose();
  };
  const untrained = tasks.find(({ name }) =>
    !parameters.some((each) =>
      each.stage === 0 && each.tasks.includes(name) && isModelParameter(each)
    )
  );
  if (untrained !== undefined) {
    dispose();
    throw new RangeError(
      `Cannot train ${untrained.name}: none of its parameters learns from the first step; ` +
        `change training.freeze (${freeze.join(", ")})`,
    );
  }
  return {
    parameters,
    groups: groups.map((group) => ({ ...group, stage: stages.get(group.name) ?? 0 })),
    dispose,
  };
}

/** True for a parameter of the model, false for a learned loss weight. */
function isModelParameter({ plan }: TrainedParameter): boolean {
  return !plan.name.startsWith(logVarianceName(""));
}

/** True if the parameter `name` belongs to `part`, an entry of `training.freeze`. */
function isPart(name: string, part: string): boolean {
  if (part === "encoder") return /^(embeddings|encoder|pooler)\./.test(name);
  const below = /^layers<(\d+)$/.exec(part)?.[1];
  if (below === undefined) return name.startsWith(`${part}.`);
  const layer = /^encoder\.layer\.(\d+)\./.exec(name)?.[1];
  return layer !== undefined && Number(layer) < Number(below);
}

/**
 * True if the parameter `name` is frozen. Entries of `freeze`: `encoder` is embeddings, layers and pooler;
 * `layers<N` is layers 0 to N − 1 without the embeddings; `heads.TASK` is one head.
 */
function isFrozen(name: string, freeze: readonly string[]): boolean {
  return freeze.some((part) => isPart(name, part));
}

/** Throws if `freeze` names more layers than the encoder has. */
function checkFreeze(freeze: readonly string[], layers: number): void {
  for (const part of freeze) {
    const below = /^layers<(\d+)$/.exec(part)?.[1];
    if (below === undefined || Number(below) <= layers) continue;
    throw new RangeError(
      `Cannot freeze ${part}: the encoder has only ${layers} layers; change training.freeze`,
    );
  }
}

/** The stage in which each parameter group starts learning: 0 for the top group, then one more for each below. */
function planUnfreezing(groups: readonly { readonly name: string }[]): Map<string, number> {
  return new Map(groups.map(({ name }, i) => [name, groups.length - 1 - i]));
}
