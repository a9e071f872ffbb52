/**
 * The best model of a run so far, and when to stop waiting for a better one.
 * @module
 */
import type { EarlyStoppingConfig, RunConfig } from "@/config.ts";
import { findWatchedScores } from "@/config_training.ts";
import type { ScoresByTask } from "@/train/evaluate_run.ts";

/** The best evaluation so far. */
export type Best = {
  /** The step whose model it was. */
  readonly step: number;
  /** Its value of the metric. */
  readonly value: number;
  /** Evaluations since then. */
  readonly waited: number;
};

/** The value of `training.earlyStopping.metric` over validation scores. */
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
      `Cannot watch ${metric} as validation must score ${task}.${score}: it has no such score`,
    );
  });
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What the best is once step `step` was evaluated. */
export function judge(
  best: Best | null,
  { step, value }: Pick<Best, "step" | "value">,
  { minDelta }: Pick<EarlyStoppingConfig, "minDelta">,
): Best {
  return best === null || value > best.value + minDelta
    ? { step, value, waited: 0 }
    : { ...best, waited: best.waited + 1 };
}

/** Whether a run has waited long enough for a better model. */
export function hasStopped(best: Best | null, options: EarlyStoppingConfig | null): boolean {
  const patience = options?.patience ?? null;
  return best !== null && patience !== null && best.waited >= patience;
}
