/**
 * Rows of a run's tasks for notebooks: as loaded, and encoded for training.
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
