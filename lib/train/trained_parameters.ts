/**
 * The parameters of a run that learn, with all that the optimiser keeps for them.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { runTask } from "@/model/multi_task.ts";
import { type MultiTask, namedParameters } from "@/model/parameters.ts";
import { checkFreeze, isFrozen, planStages } from "@/train/freezing.ts";
import {
  type LayerwiseRates,
  type ParameterGroup,
  type ParameterPlan,
  planParameters,
} from "@/train/layerwise.ts";
import { createLogVariance, logVarianceName } from "@/train/loss_weights.ts";

/** A parameter that learns, with its gradient and moments, all variables of one shape. */
export type TrainedParameter = {
  readonly plan: ParameterPlan;
  readonly weight: tf.Variable;
  readonly gradient: tf.Variable;
  readonly first: tf.Variable;
  readonly second: tf.Variable;
  /** Tasks whose loss reaches it. */
  readonly tasks: readonly string[];
  /** When it begins to learn; see `freezing.ts`. */
  readonly stage: number;
};

/** A group with the stage in which it begins to learn. */
export type TrainedGroup = ParameterGroup & { readonly stage: number };

/** All that learns in a run. */
export type TrainedParameters = {
  readonly parameters: readonly TrainedParameter[];
  readonly groups: readonly TrainedGroup[];
  /** By task; empty where the factors of losses are given. */
  readonly logVariances: ReadonlyMap<string, tf.Variable>;
};

/** What is fixed for a run. */
export type LearningOptions = {
  readonly tasks: readonly { readonly name: string }[];
  readonly rates: LayerwiseRates;
  readonly weightDecay: number;
  /** Names as `training.freeze` has them. */
  readonly freeze: readonly string[];
  /** Whether groups begin to learn one after the other. */
  readonly gradual: boolean;
  /** Whether the factors of the losses are learned. */
  readonly learnsLossWeights: boolean;
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
 * Finds what learns and makes its gradients and moments. What no task reaches (the pooler under mean
 * pooling) and what is frozen is left out: it neither moves nor decays, as in PyTorch.
 */
export function createTrainedParameters(
  model: MultiTask,
  { tasks, rates, weightDecay, freeze, gradual, learnsLossWeights }: LearningOptions,
): TrainedParameters {
  const { layers } = model.encoder.config;
  checkFreeze(freeze, layers);
  const reached = tasks.map(({ name }) => ({ name, variables: findReached(model, name) }));
  const logVariances = new Map(
    learnsLossWeights ? tasks.map(({ name }) => [name, createLogVariance()]) : [],
  );
  const learning = [
    ...namedParameters(model).map(({ name, variable }) => ({
      name,
      variable,
      tasks: reached.flatMap((task) => task.variables.has(variable.name) ? [task.name] : []),
    })),
    ...[...logVariances].map(([task, variable]) => ({
      name: logVarianceName(task),
      variable,
      tasks: [task],
    })),
  ].filter(({ name, tasks }) => tasks.length > 0 && !isFrozen(name, freeze));
  const { plans, groups } = planParameters(
    learning.map(({ name, variable }) => ({ name, shape: variable.shape })),
    { layers, rates, weightDecay },
  );
  const stages = gradual ? planStages(groups) : new Map<string, number>();
  const parameters = learning.flatMap(({ variable: weight, tasks }, i): TrainedParameter[] => {
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
  const idle = tasks.find(({ name }) =>
    !parameters.some((each) => each.stage === 0 && each.tasks.includes(name) && isOfModel(each))
  );
  if (idle !== undefined) {
    disposeTrainedParameters(result);
    throw new RangeError(
      `Cannot train as ${idle.name} must have a parameter that learns from the first step: ` +
        `training.freeze is ${freeze.join(", ")}`,
    );
  }
  return result;
}

/** Whether it is one of the model's, not a factor of a loss. */
function isOfModel({ plan }: TrainedParameter): boolean {
  return !plan.name.startsWith(logVarianceName(""));
}

/** Frees what {@link createTrainedParameters} made; the model stays. */
export function disposeTrainedParameters({ parameters, logVariances }: TrainedParameters): void {
  for (const { gradient, first, second } of parameters) tf.dispose([gradient, first, second]);
  for (const variable of logVariances.values()) variable.dispose();
}
