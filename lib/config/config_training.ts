/**
 * Rules for the keys of `training`, and constraints between them.
 * @module
 */
import {
  type EarlyStoppingConfig,
  LOSS_WEIGHTS,
  type LossScaleConfig,
  MIXINGS,
  SCHEDULES,
  type TaskConfig,
  type TrainingConfig,
} from "./config.ts";
import {
  FACTOR,
  FRACTION,
  integer,
  list,
  NOT_NEGATIVE,
  nullable,
  object,
  oneOf,
  POSITIVE,
  type Range,
  real,
  type Rule,
  text,
  wrongValue,
} from "./config_rules.ts";

/** Scores that can represent a task, by kind of task. */
export const METRICS = {
  classification: ["accuracy", "macroF1"],
  tagging: ["f1", "strictF1"],
} as const;

const AT_LEAST_ONE: Range = { wanted: "a number of at least 1", holds: (value) => value >= 1 };
const ABOVE_ONE: Range = { wanted: "a number above 1", holds: (value) => value > 1 };
const BELOW_ONE: Range = {
  wanted: "a number above 0 and below 1",
  holds: (value) => value > 0 && value < 1,
};

/** A number of steps, or `epoch`. */
const stepsOrEpoch: Rule<number | "epoch"> = (value, key) => {
  if (value === "epoch") return value;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
  throw wrongValue(key, 'an integer of at least 1 or "epoch"', value);
};

/** Types and ranges of `training`. */
export const training: Rule<TrainingConfig> = object<TrainingConfig>({
  epochs: real(POSITIVE),
  maxSteps: nullable(integer(1)),
  mixing: oneOf(MIXINGS),
  mixingTemperature: real(AT_LEAST_ONE),
  lossWeights: oneOf(LOSS_WEIGHTS),
  batchRows: nullable(integer(1, 2 ** 16)),
  batchTokens: nullable(integer(1, 2 ** 24)),
  accumulate: integer(1, 2 ** 16),
  lengths: list(integer(4, 2 ** 20), 1),
  freeze: list(text),
  unfreezeEvery: nullable(stepsOrEpoch),
  learningRate: object<TrainingConfig["learningRate"]>({
    top: real(NOT_NEGATIVE),
    decay: real(FACTOR),
    heads: real(NOT_NEGATIVE),
  }),
  schedule: oneOf(SCHEDULES),
  warmup: real(FRACTION),
  weightDecay: real(NOT_NEGATIVE),
  adam: object<TrainingConfig["adam"]>({
    beta1: real(FRACTION),
    beta2: real(FRACTION),
    epsilon: real(POSITIVE),
  }),
  clipNorm: nullable(real(POSITIVE)),
  lossScale: object<LossScaleConfig>({
    initial: real(POSITIVE),
    growth: real(ABOVE_ONE),
    backoff: real(BELOW_ONE),
    interval: integer(1),
  }),
  logEvery: integer(1),
  evaluateEvery: nullable(integer(1)),
  checkpointEvery: nullable(integer(1)),
  keepCheckpoints: integer(1),
  earlyStopping: nullable(object<EarlyStoppingConfig>({
    metric: text,
    patience: nullable(integer(1)),
    minDelta: real(NOT_NEGATIVE),
  })),
});

/** A score of a task. */
export type WatchedScore = { readonly task: string; readonly score: string };

/** The scores that a metric of `training.earlyStopping` averages; null if the metric is invalid. */
export function findWatchedScores(
  metric: string,
  tasks: readonly Pick<TaskConfig, "name" | "kind" | "metric">[],
): readonly WatchedScore[] | null {
  if (metric === "mean") return tasks.map(({ name, metric }) => ({ task: name, score: metric }));
  const found: WatchedScore[] = [];
  for (const part of metric.split("+")) {
    const [name = "", score = "", ...rest] = part.trim().split(".");
    const task = tasks.find((each) => each.name === name);
    if (task === undefined || rest.length > 0) return null;
    const scores: readonly string[] = METRICS[task.kind];
    if (!scores.includes(score)) return null;
    found.push({ task: name, score });
  }
  return found;
}

/** Checks the constraints between keys of `training`, and between them and other keys. */
export function checkTraining(
  config: TrainingConfig,
  { tasks, maxLength }: { readonly tasks: readonly TaskConfig[]; readonly maxLength: number },
): void {
  const { batchRows, batchTokens, lengths, freeze, lossWeights, earlyStopping } = config;
  if ((batchRows === null) === (batchTokens === null)) {
    const wanted = "null if training.batchTokens is set, and set if it is null";
    throw wrongValue("training.batchRows", wanted, batchRows);
  }
  if (batchTokens !== null && batchTokens < maxLength) {
    throw wrongValue("training.batchTokens", `at least model.maxLength ${maxLength}`, batchTokens);
  }
  if (lengths.some((length, i) => i > 0 && length <= (lengths[i - 1] ?? 0))) {
    throw wrongValue("training.lengths", "in ascending order", lengths);
  }
  const heads = tasks.map(({ name }) => `heads.${name}`);
  freeze.forEach((part, i) => {
    if (part === "encoder" || part === "embeddings" || /^layers<[1-9]\d*$/.test(part)) return;
    if (heads.includes(part)) return;
    const wanted = `one of encoder, embeddings, layers<N, ${heads.join(", ")}`;
    throw wrongValue(`training.freeze.${i}`, wanted, part);
  });
  tasks.forEach(({ weight }, i) => {
    if (lossWeights === "uncertainty" && weight !== 1) {
      throw wrongValue(`tasks.${i}.weight`, "1 if training.lossWeights are learned", weight);
    }
  });
  if (earlyStopping !== null) checkEarlyStopping(earlyStopping, config.evaluateEvery, tasks);
}

function checkEarlyStopping(
  { metric }: EarlyStoppingConfig,
  evaluateEvery: number | null,
  tasks: readonly TaskConfig[],
): void {
  if (findWatchedScores(metric, tasks) === null) {
    const scores = tasks.flatMap(({ name, kind }) => METRICS[kind].map((m) => `${name}.${m}`));
    const wanted = `mean, or one or several of ${scores.join(", ")} joined by +`;
    throw wrongValue("training.earlyStopping.metric", wanted, metric);
  }
  if (evaluateEvery === null) {
    const wanted = "a number of steps if training.earlyStopping is set";
    throw wrongValue("training.evaluateEvery", wanted, evaluateEvery);
  }
}
