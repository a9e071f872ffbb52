/**
 * What the files of a finished run hold, typed.
 * @module
 */

import type { TaskKind } from "@/config.ts";
import type { ClassificationScores } from "@/eval/classification.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import type { WrongAnswer } from "@/train/choose_errors.ts";
import type { EvaluateLine, TrainLine } from "@/train/run_folder.ts";
import type { RunSummary } from "@/train/run_summary.ts";

/** Whether these are the scores of a classification. */
export function isClassification(scores: TaskScores): scores is ClassificationScores {
  return "accuracy" in scores;
}

/** The score that stands for a task, 0 to 1. */
export type MainMeasure = {
  readonly measure: "accuracy" | "entity F1";
  readonly value: number;
};

/** Accuracy of a classification, entity F1 by conlleval's rules of a tagging. */
export function mainMeasure(scores: TaskScores): MainMeasure {
  return isClassification(scores)
    ? { measure: "accuracy", value: scores.accuracy }
    : { measure: "entity F1", value: scores.f1 };
}

/** The scores that stand for a task: of the test split, else of the first that was scored. */
export function mainScores(
  splits: Readonly<Record<string, TaskScores>>,
): { readonly split: string; readonly scores: TaskScores } | null {
  const split = "test" in splits ? "test" : Object.keys(splits)[0];
  const scores = split === undefined ? undefined : splits[split];
  return split === undefined || scores === undefined ? null : { split, scores };
}

/** What a report needs to know of a task's configuration. */
export type RecordedTask = {
  readonly name: string;
  readonly kind: TaskKind;
  readonly dataset: string;
  readonly labels: readonly string[];
};

/** `config.json`: what a report reads of it, and all of it as it stands. */
export type RecordedConfig = {
  readonly preset: string;
  readonly seed: number;
  /** Folder of the data; `sample`: the built-in one; null: the Hub. */
  readonly dataDir: string | null;
  /** Rows that each split was limited to; null: all were used. */
  readonly maxRows: number | null;
  /** Steps that training was limited to; null: its epochs were. */
  readonly maxSteps: number | null;
  readonly precision: string;
  /** Global norm that gradients were clipped to; null: not clipped. */
  readonly clipNorm: number | null;
  readonly tasks: readonly RecordedTask[];
  /** The whole file. */
  readonly json: Readonly<Record<string, unknown>>;
};

/** A finished run. */
export type RunRecord = {
  readonly config: RecordedConfig;
  /** `environment.json` as it stands. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly train: readonly TrainLine[];
  readonly evaluations: readonly EvaluateLine[];
  readonly summary: RunSummary;
  /** Wrong answers with their texts; null where the run kept none. */
  readonly errors: readonly WrongAnswer[] | null;
};

/** One number of a run, in a row of its own, as figures take them. */
export type MetricRow = {
  readonly run: string;
  readonly step: number;
  /** Null where the number belongs to no single task. */
  readonly task: string | null;
  readonly measure: "loss" | "gradientNorm" | "rate";
  readonly value: number;
};
