/**
 * Scores of a run with accessors by task and split, which throw with the names that exist.
 * @module
 */
import type { ClassificationScores } from "@/eval/classification.ts";
import type { EntityScores } from "@/eval/entities.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import type { ScoresBySplit } from "@/export/score_run.ts";
import { Named } from "@/named.ts";
import { isClassification, type MainMeasure, mainMeasure } from "@/report/readers/run_record.ts";

/**
 * Scores by task and split. The split defaults to `test`, or to the first one if test was not scored.
 *
 * @example
 * ```ts
 * import { loadRun } from "@/api/library.ts";
 * const { scores } = await loadRun("outputs/minilm-float32");
 * scores.classification("ag_news").accuracy; // 0.9317…
 * scores.entities("conll2003").f1; // 0.8423…
 * scores.main("conll2003"); // { measure: "entity F1", value: 0.8423… }
 * ```
 */
export class RunScores {
  /** All scores by task, then by split, as `summary.json` holds them. */
  readonly bySplit: ScoresBySplit;

  /** Wraps scores as `summary.json` holds them. */
  constructor(bySplit: ScoresBySplit) {
    this.bySplit = bySplit;
  }

  /** Names of the tasks. */
  get tasks(): readonly string[] {
    return Object.keys(this.bySplit);
  }

  /** Scores of each split of a task. */
  splits(task: string): Named<TaskScores> {
    const splits = new Named("task", this.bySplit).get(task);
    return new Named(`split of ${task}`, splits);
  }

  /** Scores of a task, of either kind. */
  get(task: string, split?: string): TaskScores {
    const splits = this.splits(task);
    return splits.get(split ?? (splits.has("test") ? "test" : splits.names[0] ?? "test"));
  }

  /** Scores of a classification task; throws a TypeError if the task is a tagging task. */
  classification(task: string, split?: string): ClassificationScores {
    const scores = this.get(task, split);
    if (isClassification(scores)) return scores;
    throw new TypeError(`${task} is a tagging task: read its scores with entities("${task}")`);
  }

  /** Scores of a tagging task; throws a TypeError if the task is a classification task. */
  entities(task: string, split?: string): EntityScores {
    const scores = this.get(task, split);
    if (!isClassification(scores)) return scores;
    throw new TypeError(
      `${task} is a classification task: read its scores with classification("${task}")`,
    );
  }

  /** Accuracy of a classification task or entity F1 of a tagging task, 0 to 1. */
  main(task: string, split?: string): MainMeasure {
    return mainMeasure(this.get(task, split));
  }
}
