/**
 * The data of a run: the rows of every task, encoded for training and evaluation.
 * @module
 */
import type { RunConfig, TaskConfig } from "@/config/config.ts";
import { loadTask, type TaskData } from "@/data/load_task.ts";
import type { Row } from "@/data/rows.ts";
import { openDataSource } from "@/data/open_source.ts";
import { type EvaluationSet, prepareEvaluation } from "@/eval/evaluate_rows.ts";
import type { ProgressView } from "@/progress.ts";
import { checkInterrupt } from "@/system/interrupt.ts";
import { encodeRowsCached } from "@/text/cache.ts";
import type { Example } from "@/text/example.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** Loads the rows of every task of a run. */
export async function loadRunRows(
  { tasks, data, seed }: Pick<RunConfig, "tasks" | "data" | "seed">,
  options: { readonly view?: ProgressView } = {},
): Promise<readonly TaskData[]> {
  const source = openDataSource(data.dir, options);
  const { validationRows, maxRows, trainShare } = data;
  const loaded: TaskData[] = [];
  for (const task of tasks) {
    loaded.push(await loadTask(task, { source, seed, validationRows, maxRows, trainShare }));
  }
  return loaded;
}

/** A task with its evaluation data. */
export type EvaluationTask = {
  readonly task: TaskConfig;
  /** Evaluation data by split: `validation`, `test`, and the data sets of `alsoTest`. */
  readonly evaluation: ReadonlyMap<string, EvaluationSet>;
  /** Indices of test rows whose text does not occur in train; null if this applies to all test rows. */
  readonly unseen: readonly number[] | null;
};

/** Rows of one task, as `summary.json` counts them. */
export type RowCounts = {
  /** Training rows. */
  readonly train: number;
  /** Validation rows. */
  readonly validation: number;
  /** Test rows. */
  readonly test: number;
  /** Rows of test whose text is also in train. */
  readonly overlap: number;
  /** Words of training rows beyond the length limit. */
  readonly cutWords: number;
};

/** The encoded data of one task. */
export type RunTask = EvaluationTask & {
  /** The training rows. */
  readonly rows: readonly Row[];
  readonly train: readonly Example[];
  /** Number of training rows that were truncated. */
  readonly cutRows: number;
  readonly counts: RowCounts;
  readonly notes: readonly string[];
};

/** Options for encoding rows as tokens. */
type EncodingOptions = {
  readonly tokenizer: Tokenizer;
  readonly maxLength: number;
  /** Prepended to each text; "" for none. */
  readonly prompt: string;
  /** Shows progress. */
  readonly view?: ProgressView;
  /** Aborting it stops the encoding with an error. */
  readonly signal?: AbortSignal | undefined;
};

/** Creates a callback that reports the number of encoded rows to `view` and throws if `signal` is aborted. */
function watchRows(rows: readonly unknown[], label: string, { view, signal }: EncodingOptions) {
  return (done: number) => {
    checkInterrupt(signal, () => "Encoding was interrupted");
    view?.update({ done, total: rows.length, label: `encode ${label}` });
  };
}

/** Encodes the evaluation data of a task. Long tagged rows are split into overlapping windows, long texts truncated. */
export async function encodeEvaluation(
  { task, validation, test, alsoTest, overlap }: TaskData,
  options: EncodingOptions,
): Promise<EvaluationTask> {
  const evaluation = new Map<string, EvaluationSet>();
  for (const [split, rows] of Object.entries({ validation, test, ...alsoTest })) {
    const onRows = watchRows(rows, `${task.name} ${split}`, options);
    evaluation.set(split, await prepareEvaluation(rows, task, { ...options, onRows }));
  }
  const known = new Set(overlap.test ?? []);
  const unseen = [...test.keys()].filter((row) => !known.has(row));
  return { task, evaluation, unseen: known.size > 0 ? unseen : null };
}

/** Encodes all data of a task. Training rows longer than `maxLength` are truncated. */
export async function encodeTask(data: TaskData, options: EncodingOptions): Promise<RunTask> {
  const { task, train } = data;
  const { examples, cutWords, cutRows, note } = await encodeRowsCached(train, {
    ...options,
    kind: task.kind,
    windows: "cut",
  }, { onRows: watchRows(train, `${task.name} train`, options) });
  const notes = [...data.notes, ...(note === null ? [] : [note])];
  if (cutRows > 0) {
    const words = task.kind === "tagging" ? ` (losing ${cutWords} tagged words)` : "";
    notes.push(
      `${task.name}: ${cutRows} of ${train.length} training rows were truncated to ` +
        `${options.maxLength} tokens${words}`,
    );
  }
  return {
    ...await encodeEvaluation(data, options),
    rows: train,
    train: examples,
    cutRows,
    counts: {
      train: train.length,
      validation: data.validation.length,
      test: data.test.length,
      overlap: data.overlap.test?.length ?? 0,
      cutWords,
    },
    notes,
  };
}
