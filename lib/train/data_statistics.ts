/**
 * Statistics of a run's data sets: row counts, lengths, entities in test that do not occur in train, and padding.
 * They contain no texts, so they may be published even if the rows may not.
 * @module
 */
import type { Row } from "@/data/rows.ts";
import type { TaskData } from "@/data/load_task.ts";
import { listEntities } from "@/eval/spans.ts";
import {
  type BatchingCost,
  comparePadding,
  type ComparePaddingOptions,
} from "@/text/compare_padding.ts";
import type { RunTask } from "@/train/run_data.ts";

/** Number of training rows of one length. */
export type LengthCount = {
  /** Length in tokens, including [CLS] and [SEP]. */
  readonly length: number;
  readonly rows: number;
};

/** Counts of entities in the test split. */
export type EntityCounts = {
  readonly test: number;
  /** Entities in test whose text is not an entity in any training row. */
  readonly unseen: number;
};

/** Statistics of one task's data. */
export type TaskStatistics = {
  readonly task: string;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** Training rows that were truncated to the maximum length of the model. */
  readonly cutRows: number;
  /** Tagging: words of training rows that were cut off. Always 0 for classification. */
  readonly cutWords: number;
  /** Of the training rows, by ascending length. */
  readonly lengths: readonly LengthCount[];
  /** Null for classification, whose rows have no entities. */
  readonly names: EntityCounts | null;
};

/** Statistics of a run's data. */
export type DataStatistics = {
  readonly tasks: readonly TaskStatistics[];
  /** Padding in one epoch over all tasks, for each batching strategy. */
  readonly padding: readonly BatchingCost[];
};

/** Computes the statistics of a run's data; `tasks` are the encoded tasks of `data`, in the same order. */
export function computeDataStatistics(
  data: readonly TaskData[],
  tasks: readonly RunTask[],
  options: ComparePaddingOptions,
): DataStatistics {
  return {
    tasks: data.map((rows, index) => computeTaskStatistics(rows, tasks[index])),
    padding: comparePadding(tasks.map(({ train }) => train), options),
  };
}

function computeTaskStatistics(
  { task, train, test }: TaskData,
  encoded: RunTask | undefined,
): TaskStatistics {
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
    names: task.kind === "tagging" ? countEntities({ train, test, labels: task.labels }) : null,
  };
}

/** Counts how often each length occurs, by ascending length. */
export function countLengths(lengths: readonly number[]): readonly LengthCount[] {
  const counts = new Map<number, number>();
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1);
  return [...counts].map(([length, rows]) => ({ length, rows }))
    .sort((a, b) => a.length - b.length);
}

/** Counts the entities in `test` and how many of them do not occur in `train`; `labels` are the BIO tags by index. */
export function countEntities({ train, test, labels }: {
  readonly train: readonly Row[];
  readonly test: readonly Row[];
  readonly labels: readonly string[];
}): EntityCounts {
  const known = new Set(listEntities(train, labels).map(({ text }) => text));
  const entities = listEntities(test, labels);
  return { test: entities.length, unseen: entities.filter(({ text }) => !known.has(text)).length };
}
