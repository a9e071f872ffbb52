/**
 * What the data of a run is like, in numbers that may be shown where the rows may not: how many rows, how
 * long they are, how many names of test are new, what padding costs.
 * @module
 */
import type { Row } from "@/data/rows.ts";
import type { TaskData } from "@/data/load_task.ts";
import { listEntities } from "@/eval/list_entities.ts";
import {
  type BatchingCost,
  comparePadding,
  type ComparePaddingOptions,
} from "@/text/compare_padding.ts";
import type { RunTask } from "@/train/run_data.ts";

/** How many training rows have one length. */
export type LengthCount = {
  /** Word pieces, those around the sentence included. */
  readonly length: number;
  readonly rows: number;
};

/** Names of the test split. */
export type NameCounts = {
  readonly test: number;
  /** Those whose words are no name of any training row. */
  readonly unseen: number;
};

/** What one task's data is like. */
export type TaskSurvey = {
  readonly task: string;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** Training rows that lost pieces at the model's limit. */
  readonly cutRows: number;
  /** Tagging: words of training rows that lie beyond it. Always 0 for classification. */
  readonly cutWords: number;
  /** Of training rows, rising. */
  readonly lengths: readonly LengthCount[];
  /** Null where rows have no names. */
  readonly names: NameCounts | null;
};

/** What a run's data is like. */
export type DataSurvey = {
  readonly tasks: readonly TaskSurvey[];
  /** An epoch over all tasks by way of batching. */
  readonly padding: readonly BatchingCost[];
};

/** Surveys the tasks of a run: `tasks` are those of `data`, encoded, in the same order. */
export function surveyData(
  data: readonly TaskData[],
  tasks: readonly RunTask[],
  options: ComparePaddingOptions,
): DataSurvey {
  return {
    tasks: data.map((rows, index) => surveyTask(rows, tasks[index])),
    padding: comparePadding(tasks.map(({ train }) => train), options),
  };
}

function surveyTask({ task, train, test }: TaskData, encoded: RunTask | undefined): TaskSurvey {
  if (encoded?.task.name !== task.name) {
    throw new Error(`internal: ${encoded?.task.name} stands in place of ${task.name}`);
  }
  const { counts, cutRows } = encoded;
  return {
    task: task.name,
    train: counts.train,
    validation: counts.validation,
    test: counts.test,
    cutRows,
    cutWords: counts.cutWords,
    lengths: countLengths(encoded.train.map(({ ids }) => ids.length)),
    names: task.kind === "tagging" ? countNames({ train, test, labels: task.labels }) : null,
  };
}

/** Counts equal lengths. */
export function countLengths(lengths: readonly number[]): readonly LengthCount[] {
  const counts = new Map<number, number>();
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1);
  return [...counts].map(([length, rows]) => ({ length, rows }))
    .sort((a, b) => a.length - b.length);
}

/** Counts the names of `test` and those of them that `train` lacks; `labels` name the tags by number. */
export function countNames({ train, test, labels }: {
  readonly train: readonly Row[];
  readonly test: readonly Row[];
  readonly labels: readonly string[];
}): NameCounts {
  const known = new Set(listEntities(train, labels).map(({ text }) => text));
  const asked = listEntities(test, labels);
  return { test: asked.length, unseen: asked.filter(({ text }) => !known.has(text)).length };
}
