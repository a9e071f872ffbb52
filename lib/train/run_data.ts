/**
 * The data of a run: rows of every task, encoded for training and ready for evaluation.
 * @module
 */
import type { RunConfig, TaskConfig } from "@/config.ts";
import { loadTask, type TaskData } from "@/data/load_task.ts";
import { openDataSource } from "@/data/open_source.ts";
import { type EvaluationSet, prepareEvaluation } from "@/eval/evaluate_rows.ts";
import { encodeRowsCached } from "@/text/cache.ts";
import type { Example } from "@/text/example.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** Loads the rows of every task of a run. */
export async function loadRunRows(
  { tasks, data, seed }: Pick<RunConfig, "tasks" | "data" | "seed">,
): Promise<readonly TaskData[]> {
  const source = openDataSource(data.dir);
  const { validationRows, maxRows } = data;
  const loaded: TaskData[] = [];
  for (const task of tasks) {
    loaded.push(await loadTask(task, { source, seed, validationRows, maxRows }));
  }
  return loaded;
}

/** One task's data, encoded. */
export type RunTask = {
  readonly task: TaskConfig;
  readonly train: readonly Example[];
  /** By split: `validation`, `test`, data sets of `alsoTest`. */
  readonly evaluation: ReadonlyMap<string, EvaluationSet>;
  /** Rows of test whose text is not in train; null where none is. */
  readonly unseen: readonly number[] | null;
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

/** Encodes the rows of a task. Training cuts what is longer than `maxLength`; evaluation does not. */
export async function encodeTask(
  data: TaskData,
  options: { readonly tokenizer: Tokenizer; readonly maxLength: number },
): Promise<RunTask> {
  const { task, train, validation, test, alsoTest } = data;
  const { examples, cutWords, cutRows, note } = await encodeRowsCached(train, {
    ...options,
    kind: task.kind,
    windows: "cut",
  });
  const evaluation = new Map<string, EvaluationSet>();
  for (const [split, rows] of Object.entries({ validation, test, ...alsoTest })) {
    evaluation.set(split, await prepareEvaluation(rows, task, options));
  }
  const overlap = new Set(data.overlap.test ?? []);
  const notes = [...data.notes, ...(note === null ? [] : [note])];
  if (cutRows > 0) {
    const words = task.kind === "tagging" ? `, ${cutWords} tagged words with them,` : "";
    notes.push(
      `${task.name}: ${cutRows} of ${train.length} training rows${words} were cut at ` +
        `${options.maxLength} word pieces`,
    );
  }
  return {
    task,
    train: examples,
    evaluation,
    unseen: overlap.size === 0 ? null : [...test.keys()].filter((row) => !overlap.has(row)),
    counts: {
      train: train.length,
      validation: validation.length,
      test: test.length,
      overlap: overlap.size,
      cutWords,
    },
    notes,
  };
}
