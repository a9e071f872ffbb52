/**
 * Early stopping: tracks the best model of a run and decides when to stop.
 * @module
 */
import type { EarlyStoppingConfig, RunConfig } from "@/config/config.ts";
import { findWatchedScores } from "@/config/config_constraints.ts";
import type { ScoresByTask } from "@/train/evaluate_run.ts";

/** The best evaluation so far. */
export type Best = {
  /** The step of the best model. */
  readonly step: number;
  /** Its score on the configured metric. */
  readonly value: number;
  /** Number of evaluations since then. */
  readonly waited: number;
};

/** Reads `training.earlyStopping.metric` from validation scores; a metric with several scores is their mean. */
export function readMetric(
  metric: string,
  tasks: RunConfig["tasks"],
  scores: ScoresByTask,
): number {
  const watched = findWatchedScores(metric, tasks) ?? [];
  const values = watched.map(({ task, score }) => {
    const value = Object.entries(scores[task] ?? {}).find(([name]) => name === score)?.[1];
    if (typeof value === "number") return value;
    throw new RangeError(
      `Cannot compute the early stopping metric ${metric}: validation has no score ${task}.${score}`,
    );
  });
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Returns the best evaluation after step `step` was evaluated; a better one exceeds the best by over `minDelta`. */
export function updateBest(
  best: Best | null,
  { step, value }: Pick<Best, "step" | "value">,
  { minDelta }: Pick<EarlyStoppingConfig, "minDelta">,
): Best {
  return best === null || value > best.value + minDelta
    ? { step, value, waited: 0 }
    : { ...best, waited: best.waited + 1 };
}

/** True if there was no improvement for `patience` evaluations. */
export function isOutOfPatience(best: Best | null, options: EarlyStoppingConfig | null): boolean {
  const patience = options?.patience ?? null;
  return best !== null && patience !== null && best.waited >= patience;
}
