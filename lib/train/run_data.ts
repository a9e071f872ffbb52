/**
 * The data of a run: rows of every task, encoded for training and ready for evaluation.
 * @module
 */
import type { RunConfig, TaskConfig } from "@/config.ts";
import { loadTask, type TaskData } from "@/data/load_task.ts";
import { openDataSource } from "@/data/open_source.ts";
import { type EvaluationSet, prepareEvaluation } from "@/eval/evaluate_rows.ts";
import type { ProgressView } from "@/progress.ts";
import { checkInterrupt } from "@/interrupt.ts";
import { encodeRowsCached } from "@/text/cache.ts";
import type { Example } from "@/text/example.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** Loads the rows of every task of a run. */
export async function loadRunRows(
  { tasks, data, seed }: Pick<RunConfig, "tasks" | "data" | "seed">,
  options: { readonly view?: ProgressView } = {},
): Promise<readonly TaskData[]> {
  const source = openDataSource(data.dir, options);
  const { validationRows, maxRows } = data;
  const loaded: TaskData[] = [];
  for (const task of tasks) {
    loaded.push(await loadTask(task, { source, seed, validationRows, maxRows }));
  }
  return loaded;
}

/** What a task is scored on. */
export type EvaluationTask = {
  readonly task: TaskConfig;
  /** By split: `validation`, `test`, data sets of `alsoTest`. */
  readonly evaluation: ReadonlyMap<string, EvaluationSet>;
  /** Rows of test whose text is not in train; null where all are such. */
  readonly unseen: readonly number[] | null;
};

/** One task's data, encoded. */
export type RunTask = EvaluationTask & {
  readonly train: readonly Example[];
  /** Training rows that lost pieces at the limit. */
  readonly cutRows: number;
  /** Counts for the summary. */
  readonly counts: {
    readonly train: number;
    readonly validation: number;
    readonly test: number;
    readonly overlap: number;
    readonly cutWords: number;
  };
  readonly notes: readonly string[];
};

/** How rows become pieces. */
export type EncodingOptions = {
  readonly tokenizer: Tokenizer;
  readonly maxLength: number;
  /** Prepended to each text; "" for none. */
  readonly prompt: string;
  /** Shows how far it is. */
  readonly view?: ProgressView;
  /** Once aborted, the work ends with an error. */
  readonly signal?: AbortSignal | undefined;
};

/** Tells `view` how many rows of a split are encoded, and ends the work where that is wanted. */
function watchRows(rows: readonly unknown[], label: string, { view, signal }: EncodingOptions) {
  return (done: number) => {
    checkInterrupt(signal, () => "Encoding was interrupted");
    view?.update({ done, total: rows.length, label: `encode ${label}` });
  };
}

/** Encodes what a task is scored on: long tagged rows are read through windows, long texts are cut. */
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

/** Encodes the rows of a task; training cuts what is longer than `maxLength`. */
export async function encodeTask(data: TaskData, options: EncodingOptions): Promise<RunTask> {
  const { task, train } = data;
  const { examples, cutWords, cutRows, note } = await encodeRowsCached(train, {
    ...options,
    kind: task.kind,
    windows: "cut",
  }, { onRows: watchRows(train, `${task.name} train`, options) });
  const notes = [...data.notes, ...(note === null ? [] : [note])];
  if (cutRows > 0) {
    const words = task.kind === "tagging" ? `, ${cutWords} tagged words with them,` : "";
    notes.push(
      `${task.name}: ${cutRows} of ${train.length} training rows${words} were cut at ` +
        `${options.maxLength} word pieces`,
    );
  }
  return {
    ...await encodeEvaluation(data, options),
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
