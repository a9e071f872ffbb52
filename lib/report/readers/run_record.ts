/**
 * Types of the files of a finished run.
 * @module
 */

import type { TaskKind } from "@/config/config.ts";
import type { ClassificationScores } from "@/eval/classification.ts";
import type { TaskScores } from "@/eval/evaluate_rows.ts";
import type { LearningCurve } from "@/train/learning_curve.ts";
import type { TaskVerdict } from "@/train/baselines.ts";
import type { PredictionError } from "@/train/choose_errors.ts";
import type { EvaluateLine, TrainLine } from "@/train/run_folder.ts";
import type { RunSummary } from "@/train/run_summary.ts";

/** True for the scores of a classification task. */
export function isClassification(scores: TaskScores): scores is ClassificationScores {
  return "accuracy" in scores;
}

/** The main score of a task, 0 to 1. */
export type MainMeasure = {
  readonly measure: "accuracy" | "entity F1";
  readonly value: number;
};

/** Accuracy of a classification task, or entity F1 (conlleval's rules) of a tagging task. */
export function mainMeasure(scores: TaskScores): MainMeasure {
  return isClassification(scores)
    ? { measure: "accuracy", value: scores.accuracy }
    : { measure: "entity F1", value: scores.f1 };
}

/** Scores of a task's main split: test if it was scored, else the first one; null if there is none. */
export function mainScores(
  splits: Readonly<Record<string, TaskScores>>,
): { readonly split: string; readonly scores: TaskScores } | null {
  const split = "test" in splits ? "test" : Object.keys(splits)[0];
  const scores = split === undefined ? undefined : splits[split];
  return split === undefined || scores === undefined ? null : { split, scores };
}

/** The part of a task's configuration that reports use. */
export type RecordedTask = {
  readonly name: string;
  readonly kind: TaskKind;
  readonly dataset: string;
  readonly labels: readonly string[];
};

/** `config.json`: the keys that reports use, and the complete content. */
export type RecordedConfig = {
  readonly preset: string;
  readonly seed: number;
  /** Folder of the data; `sample` for the built-in sample, null for the Hub. */
  readonly dataDir: string | null;
  /** Maximum number of rows per split; null if not limited. */
  readonly maxRows: number | null;
  /** Maximum number of steps; null if limited only by epochs. */
  readonly maxSteps: number | null;
  readonly precision: string;
  /** Global norm that gradients were clipped to; null if not clipped. */
  readonly clipNorm: number | null;
  readonly tasks: readonly RecordedTask[];
  /** Complete content of the file. */
  readonly json: Readonly<Record<string, unknown>>;
};

/** A finished run. */
export type RunRecord = {
  readonly config: RecordedConfig;
  /** Content of `environment.json`. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly train: readonly TrainLine[];
  readonly evaluations: readonly EvaluateLine[];
  readonly summary: RunSummary;
  /** Wrong predictions with their texts; null if the run did not record them. */
  readonly errors: readonly PredictionError[] | null;
  /** Scores on validation beside those of baselines, by task; empty if the run computed none. */
  readonly verdicts: readonly TaskVerdict[];
  /** Scores by number of training rows; empty if the run has no learning curve. */
  readonly learningCurves: readonly LearningCurve[];
};

/** One number of a run as a tidy row, for figures. */
export type MetricRow = {
  readonly run: string;
  readonly step: number;
  /** Null if the number does not belong to a single task. */
  readonly task: string | null;
  readonly measure: "loss" | "gradientNorm" | "rate";
  readonly value: number;
};
