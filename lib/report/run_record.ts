/**
 * What the files of a finished run hold, typed.
 * @module
 */

import type { TaskKind } from "@/config.ts";
import type { ClassificationScores } from "@/eval/classification.ts";
import type { EntityScores } from "@/eval/entities.ts";

/** Scores of one task on one split. */
export type TaskScores = ClassificationScores | EntityScores;

/** Whether these are the scores of a classification. */
export function isClassification(scores: TaskScores): scores is ClassificationScores {
  return "accuracy" in scores;
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
  readonly maxRows: number | null;
  readonly precision: string;
  /** Global norm that gradients were clipped to; null: not clipped. */
  readonly clipNorm: number | null;
  readonly tasks: readonly RecordedTask[];
  /** The whole file. */
  readonly json: Readonly<Record<string, unknown>>;
};

/** A line of `metrics.jsonl` on training. */
export type TrainLine = {
  readonly kind: "train";
  readonly step: number;
  readonly epoch: number;
  /** Cross entropy by task, nats. */
  readonly losses: Readonly<Record<string, number>>;
  /** Global norm of the gradients before clipping. */
  readonly gradientNorm: number;
  /** Factor of all peak learning rates at this step, 0 to 1. */
  readonly rate: number;
  /** Word pieces seen so far. */
  readonly tokens: number;
  readonly seconds: number;
};

/** A line of `metrics.jsonl` on an evaluation during training. */
export type EvaluateLine = {
  readonly kind: "evaluate";
  readonly step: number;
  readonly split: string;
  readonly scores: Readonly<Record<string, TaskScores>>;
};

/** One parameter group of the optimizer. */
export type GroupRecord = {
  readonly name: string;
  /** Peak rate. */
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Numbers in the group. */
  readonly parameters: number;
};

/** Rows of a task's splits, test rows whose text is in train, words that training cut off. */
export type DataCounts = {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  readonly overlap: number;
  readonly cutWords: number;
};

/** `summary.json`. */
export type SummaryRecord = {
  readonly name: string;
  readonly steps: number;
  readonly tokens: number;
  readonly parameters: number;
  readonly seconds: { readonly train: number; readonly evaluate: number };
  /** By task, then by split. */
  readonly scores: Readonly<Record<string, Readonly<Record<string, TaskScores>>>>;
  readonly groups: readonly GroupRecord[];
  readonly data: Readonly<Record<string, DataCounts>>;
  readonly notes: readonly string[];
};

/** A finished run. */
export type RunRecord = {
  readonly config: RecordedConfig;
  /** `environment.json` as it stands. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly train: readonly TrainLine[];
  readonly evaluations: readonly EvaluateLine[];
  readonly summary: SummaryRecord;
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
