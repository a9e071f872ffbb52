/**
 * Loads all rows of a task by split. Rows of test occur only in `test`.
 * @module
 */

import type { TaskConfig } from "@/config/config.ts";
import { carveValidation } from "@/data/carve_validation.ts";
import { readRows } from "@/data/read_rows.ts";
import { findOverlap, type Row } from "@/data/rows.ts";
import { type DataSource, findRequiredFiles } from "@/data/source.ts";
import { shuffle, stream } from "@/random.ts";

/** Options of {@link loadTask}. */
export type LoadOptions = {
  readonly source: DataSource;
  readonly seed: number;
  /** Number of validation rows carved from train if the task has no validation split. */
  readonly validationRows: number;
  /** Maximum number of rows per split: a random sample of train, the first rows of the others; null for all. */
  readonly maxRows: number | null;
};

/** The rows of a task. */
export type TaskData = {
  readonly task: TaskConfig;
  readonly train: readonly Row[];
  readonly validation: readonly Row[];
  readonly test: readonly Row[];
  /** Test rows of each data set of `task.alsoTest`. */
  readonly alsoTest: Readonly<Record<string, readonly Row[]>>;
  /** Indices of the rows whose text is also in train, by split (`validation`, `test`, a data set of `alsoTest`). */
  readonly overlap: Readonly<Record<string, readonly number[]>>;
  /** Remarks for readers of the scores, one sentence each. */
  readonly notes: readonly string[];
};

/** Reads, checks and splits the rows of a task. */
export async function loadTask(task: TaskConfig, options: LoadOptions): Promise<TaskData> {
  const { source, seed, maxRows } = options;
  if (maxRows !== null && (!Number.isInteger(maxRows) || maxRows < 1)) {
    throw new RangeError(
      `Cannot load "${task.name}": data.maxRows must be null or an integer above 0, but is ${maxRows}`,
    );
  }
  if (task.split.test === "train" || task.split.validation === "train") {
    throw new RangeError(
      `Cannot load "${task.name}": its split.validation and split.test must not be train, but split is ${
        JSON.stringify(task.split)
      }`,
    );
  }
  const readSplit = async (dataset: string, split: string, key: string) => {
    const asked = `${key} of task "${task.name}"`;
    const files = await findRequiredFiles(source, {
      dataset,
      split,
      asked,
      ...(key === "split.validation" && { advice: `${key}: null carves it from train` }),
    });
    return await readRows(files, task);
  };
  const notes: string[] = [];

  const given = await readSplit(task.dataset, "train", "dataset");
  const ownValidation = task.split.validation !== task.split.test ? task.split.validation : null;
  const parts = ownValidation === null
    ? carveValidation(given, { rows: options.validationRows, seed, name: task.dataset })
    : {
      train: given,
      validation: await readSplit(task.dataset, ownValidation, "split.validation"),
    };
  if (ownValidation === null) {
    notes.push(
      `${task.name}: ${parts.validation.length} of ${given.length} training rows were carved off for validation` +
        (parts.validation.length < options.validationRows
          ? `, a fifth of train instead of the requested ${options.validationRows}`
          : ""),
    );
  }
  const train = maxRows === null || parts.train.length <= maxRows
    ? parts.train
    : shuffle(parts.train, stream(seed, "maxRows", task.dataset)).slice(0, maxRows);
  const limit = (rows: Row[]) => maxRows === null ? rows : rows.slice(0, maxRows);
  if (maxRows !== null) notes.push(`${task.name}: every split is limited to ${maxRows} rows`);

  const validation = limit(parts.validation);
  const test = limit(await readSplit(task.dataset, task.split.test, "split.test"));
  const alsoTest: Record<string, Row[]> = {};
  for (const dataset of task.alsoTest) {
    alsoTest[dataset] = limit(await readSplit(dataset, "test", "alsoTest"));
  }

  const overlap: Record<string, number[]> = {};
  for (const [split, rows] of Object.entries({ validation, test, ...alsoTest })) {
    const found = findOverlap(rows, train);
    overlap[split] = found;
    if (found.length > 0) {
      notes.push(
        `${task.name}: ${found.length} of ${rows.length} ${split} rows have a text that is also in train; they are kept`,
      );
    }
  }
  return { task, train, validation, test, alsoTest, overlap, notes };
}
