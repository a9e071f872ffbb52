/**
 * Rows of a run's tasks for notebooks: as loaded, and encoded for training; texts and sentence pairs of the test split,
 * which no run is trained on.
 * @module
 */

import type { RunConfig } from "@/config/config.ts";
import type { TaskData } from "@/data/load_task.ts";
import { openConfiguredEngine } from "@/system/configured_engine.ts";
import { Named } from "@/named.ts";
import type { ComparePaddingOptions } from "@/text/compare_padding.ts";
import { type PreparedRun, prepareRun } from "@/train/prepare_run.ts";
import { loadRunRows, type RunTask } from "@/train/run_data.ts";
import { NamedList } from "./named_list.ts";
import { openDataSource } from "@/data/open_source.ts";
import { isTaggedRow } from "@/data/rows.ts";
import { pairByClass, readSentencePairs, type SentencePair } from "@/data/sentence_pairs.ts";
import { stream } from "@/random.ts";

/** Rows of a batch if the configuration does not set them. */
const BATCH_ROWS = 32;

/** Loads the rows of every task, by the name of the task. */
export async function loadRows(config: RunConfig): Promise<NamedList<TaskData>> {
  const loaded = await loadRunRows(config);
  return new NamedList("task", loaded.map((data) => [data.task.name, data]));
}

/** Encoded rows of every task with the tokenizer and the model; `task` finds a task by name. */
type PreparedRows = PreparedRun & { readonly task: (name: string) => RunTask };

/** Opens the engine, learns or loads the vocabulary and encodes the rows of every task. Dispose the result. */
export async function prepareRows(config: RunConfig): Promise<PreparedRows> {
  await openConfiguredEngine(config);
  const run = await prepareRun(config, null);
  const byName = new Named("task", run.tasks.map((each) => [each.task.name, each] as const));
  return Object.assign(run, { task: (name: string) => byName.get(name) });
}

/** Padded lengths, batch size and seed of a run, as the comparisons of batching methods take them. */
export function batchingOf({ training, seed }: RunConfig): ComparePaddingOptions {
  return { lengths: training.lengths, rows: training.batchRows ?? BATCH_ROWS, seed };
}

/** A text and the name of its class. */
type LabeledText = { readonly text: string; readonly label: string };

/** The first `rows` test texts of the first classification task. */
export async function readTexts(
  config: RunConfig | undefined,
  { rows }: { readonly rows: number },
): Promise<LabeledText[]> {
  const { task, test } = await findClassification(config);
  return test.slice(0, rows).flatMap((row) =>
    isTaggedRow(row) ? [] : [{ text: row.text, label: task.labels[row.label] ?? String(row.label) }]
  );
}

/** Pairs of the STS-B test split if the data folder has them, else pairs of test texts by class. */
export async function readPairs(config: RunConfig | undefined): Promise<SentencePair[]> {
  const { data, test } = await findClassification(config);
  const { dir, maxRows } = data;
  if (dir !== null) {
    const files = await openDataSource(dir).files("stsb", "test").catch((error) => {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    });
    if (files.length > 0) return (await readSentencePairs(files)).slice(0, maxRows ?? undefined);
  }
  return pairByClass(test, stream(config?.seed ?? 1, "pairs"));
}

async function findClassification(config: RunConfig | undefined) {
  const tasks = config?.tasks.filter(({ kind }) => kind === "classification") ?? [];
  const [first] = config === undefined ? [] : await loadRunRows({ ...config, tasks });
  if (config === undefined || first === undefined) {
    throw new RangeError(
      "the run has no classification task to read texts from",
    );
  }
  return { ...first, data: config.data };
}
