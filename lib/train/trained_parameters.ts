/**
 * The trained parameters of a run, with their gradients and optimizer state.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { runTask } from "@/model/multi_task.ts";
import { type MultiTask, namedParameters } from "@/model/parameters.ts";
import { checkFreeze, isFrozen, planUnfreezing } from "@/train/freezing.ts";
import {
  type LayerwiseLearningRates,
  type ParameterGroup,
  type ParameterPlan,
  planParameters,
} from "@/train/layerwise.ts";
import { createLogVariance, logVarianceName } from "@/train/loss_weights.ts";

/** A trained parameter with its gradient and moments; all are variables of the same shape. */
export type TrainedParameter = {
  readonly plan: ParameterPlan;
  readonly weight: tf.Variable;
  readonly gradient: tf.Variable;
  readonly first: tf.Variable;
  readonly second: tf.Variable;
  /** Names of the tasks whose loss depends on it. */
  readonly tasks: readonly string[];
  /** The stage in which it starts learning; see `freezing.ts`. */
  readonly stage: number;
};

/** A parameter group with the stage in which it starts learning. */
export type TrainedGroup = ParameterGroup & { readonly stage: number };

/** All trained parameters of a run. */
export type TrainedParameters = {
  readonly parameters: readonly TrainedParameter[];
  readonly groups: readonly TrainedGroup[];
  /** Learned log σ² by task; empty if the loss weights are fixed. */
  readonly logVariances: ReadonlyMap<string, tf.Variable>;
};

/** Options of {@link createTrainedParameters}. */
export type LearningOptions = {
  readonly tasks: readonly { readonly name: string }[];
  readonly learningRates: LayerwiseLearningRates;
  readonly weightDecay: number;
  /** Frozen parameters, in the syntax of `training.freeze`. */
  readonly freeze: readonly string[];
  /** True if parameter groups start learning one by one. */
  readonly gradualUnfreezing: boolean;
  /** True if the loss weights are learned. */
  readonly learnsLossWeights: boolean;
};

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

/** Zeros of the same shape as `weight`, as a variable that is not differentiated. */
function zerosFor(weight: tf.Variable): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zeros(weight.shape), false));
}

/**
 * Lists the trained parameters and creates their gradients and moments. It excludes frozen parameters and those that no
 * task depends on (such as the pooler with mean pooling): they neither change nor decay, as in PyTorch.
 *
 * @throws {RangeError} if no parameter of a task learns in stage 0
 */
export function createTrainedParameters(
  model: MultiTask,
  { tasks, learningRates, weightDecay, freeze, gradualUnfreezing, learnsLossWeights }:
    LearningOptions,
): TrainedParameters {
  const { layers } = model.encoder.config;
  checkFreeze(freeze, layers);
  const taskVariables = tasks.map(({ name }) => ({
    name,
    variables: findTaskVariables(model, name),
  }));
  const logVariances = new Map(
    learnsLossWeights ? tasks.map(({ name }) => [name, createLogVariance()]) : [],
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
      gradient: zerosFor(weight),
      first: zerosFor(weight),
      second: zerosFor(weight),
      tasks,
      stage: stages.get(plan.group) ?? 0,
    }];
  });
  const result = {
    parameters,
    groups: groups.map((group) => ({ ...group, stage: stages.get(group.name) ?? 0 })),
    logVariances,
  };
  const untrained = tasks.find(({ name }) =>
    !parameters.some((each) =>
      each.stage === 0 && each.tasks.includes(name) && isModelParameter(each)
    )
  );
  if (untrained !== undefined) {
    disposeTrainedParameters(result);
    throw new RangeError(
      `Cannot train ${untrained.name}: none of its parameters learns from the first step; ` +
        `change training.freeze (${freeze.join(", ")})`,
    );
  }
  return result;
}

/** True for a parameter of the model, false for a learned loss weight. */
function isModelParameter({ plan }: TrainedParameter): boolean {
  return !plan.name.startsWith(logVarianceName(""));
}

/** Frees the variables that {@link createTrainedParameters} created, but not the model. */
export function disposeTrainedParameters({ parameters, logVariances }: TrainedParameters): void {
  for (const { gradient, first, second } of parameters) tf.dispose([gradient, first, second]);
  for (const variable of logVariances.values()) variable.dispose();
}
