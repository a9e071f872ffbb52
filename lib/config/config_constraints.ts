/**
 * Conditions between keys of a configuration that are valid individually.
 * @module
 */
import { type EarlyStoppingConfig, METRICS, type RunConfig, type TaskConfig } from "./config.ts";
import { wrongValue } from "@/schema.ts";

const wrong = (key: string, wanted: string, value: unknown) =>
  wrongValue(`config: ${key}`, wanted, value);

/** Throws if keys that are valid individually do not fit together. */
export function checkTogether({ model, tasks, training, device, executor }: RunConfig): void {
  const { fresh, source, maxLength } = model;
  tasks.forEach(({ name }, i) => {
    if (tasks.findIndex((task) => task.name === name) < i) {
      throw wrong(`tasks.${i}.name`, "a name that no other task has", name);
    }
  });
  if (source === null && fresh.hiddenSize % fresh.attentionHeads !== 0) {
    const wanted = `a divisor of model.fresh.hiddenSize ${fresh.hiddenSize}`;
    throw wrong("model.fresh.attentionHeads", wanted, fresh.attentionHeads);
  }
  if (source === null && maxLength > fresh.maxPositions) {
    const wanted = `at most model.fresh.maxPositions ${fresh.maxPositions}`;
    throw wrong("model.maxLength", wanted, maxLength);
  }
  if (device === "tensorflow" && executor !== "auto") {
    throw wrong("executor", "auto on device tensorflow", executor);
  }
  checkTraining(training, { tasks, maxLength });
}

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

function checkTraining(
  config: RunConfig["training"],
  { tasks, maxLength }: { readonly tasks: readonly TaskConfig[]; readonly maxLength: number },
): void {
  const { batchRows, batchTokens, lengths, freeze, lossWeights, earlyStopping } = config;
  if ((batchRows === null) === (batchTokens === null)) {
    const wanted = "null if training.batchTokens is set, and set if it is null";
    throw wrong("training.batchRows", wanted, batchRows);
  }
  if (batchTokens !== null && batchTokens < maxLength) {
    throw wrong("training.batchTokens", `at least model.maxLength ${maxLength}`, batchTokens);
  }
  if (lengths.some((length, i) => i > 0 && length <= (lengths[i - 1] ?? 0))) {
    throw wrong("training.lengths", "in ascending order", lengths);
  }
  const heads = tasks.map(({ name }) => `heads.${name}`);
  freeze.forEach((part, i) => {
    if (part === "encoder" || part === "embeddings" || /^layers<[1-9]\d*$/.test(part)) return;
    if (heads.includes(part)) return;
    const wanted = `one of encoder, embeddings, layers<N, ${heads.join(", ")}`;
    throw wrong(`training.freeze.${i}`, wanted, part);
  });
  tasks.forEach(({ weight }, i) => {
    if (lossWeights === "uncertainty" && weight !== 1) {
      throw wrong(`tasks.${i}.weight`, "1 if training.lossWeights are learned", weight);
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
    throw wrong("training.earlyStopping.metric", wanted, metric);
  }
  if (evaluateEvery === null) {
    const wanted = "a number of steps if training.earlyStopping is set";
    throw wrong("training.evaluateEvery", wanted, evaluateEvery);
  }
}
