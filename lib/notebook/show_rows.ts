/**
 * Rows, batches and predictions of a task in a notebook.
 * @module
 */

import type { RunConfig } from "@/config/config.ts";
import { isTaggedRow, type Row } from "@/data/rows.ts";
import type { PredictedEntity, TextPrediction } from "@/eval/text_predictor.ts";
import type { ModelTask } from "@/model/multi_task.ts";
import { describeUnknown } from "@/suggest.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import { type Displayable, showText, stack } from "./displayable.ts";
import { prepareRows } from "./load_rows.ts";
import { showEntities } from "./show_entities.ts";
import { showTable } from "./show_table.ts";
import { showBatchRow, showTaggedWords } from "./show_tagged.ts";

/** Shows the first rows of a task: texts and classes as a table, or sentences with their entities marked. */
export function showRows(
  rows: readonly Row[],
  { labels }: Pick<ModelTask, "labels">,
  options: { readonly limit?: number } = {},
): Displayable {
  const { limit = 5 } = options;
  const name = (label: number) => labels[label] ?? String(label);
  const first = rows.slice(0, limit);
  const tagged = first.filter(isTaggedRow);
  if (tagged.length > 0) {
    return stack(tagged.map(({ tokens, tags }) => showTaggedWords(tokens, tags.map(name))));
  }
  return showTable(
    first.flatMap((row) => isTaggedRow(row) ? [] : [{ label: name(row.label), text: row.text }]),
  );
}

/** Shows the first training batch of a tagging task: its size, its padding and one of its rows. */
export async function showBatch(config: RunConfig, task: string): Promise<Displayable> {
  const run = await prepareRows(config);
  try {
    return showNextBatch(run, task);
  } finally {
    run.dispose();
  }
}

/**
 * Takes the next training batch of a tagging task and shows its size, its padding and one of its rows. This
 * advances the batch stream of the run.
 */
export function showNextBatch(
  { setup, tasks, tokenizer }: Pick<PreparedRun, "setup" | "tasks" | "tokenizer">,
  name: string,
  options: { readonly row?: number } = {},
): Displayable {
  const { row = 0 } = options;
  const stream = setup.tasks.get(name)?.stream;
  const task = tasks.find(({ task }) => task.name === name)?.task;
  if (stream === undefined || task?.kind !== "tagging") {
    const known = tasks.filter(({ task }) => task.kind === "tagging").map(({ task }) => task.name);
    throw new RangeError(describeUnknown(name, { what: "tagging task", known }));
  }
  const batch = stream.next();
  const padding = 1 - batch.tokens / (batch.rows * batch.length);
  const measures = `${batch.rows} rows of ${batch.length} tokens, ${
    (100 * padding).toFixed(0)
  } % padding; row ${row}:`;
  return stack([showText(measures), showBatchRow(batch, row, { tokenizer, labels: task.labels })]);
}

/** Shows a prediction: the text with its entities marked, then each predicted class with its probability. */
export function showPrediction({ text, labels, entities }: TextPrediction): Displayable {
  const found: PredictedEntity[] = Object.values(entities).flat();
  const classes = Object.entries(labels).map(([task, { label, probability }]) =>
    showText(`${task}: ${label} (${(100 * probability).toFixed(1)} %)`)
  );
  return stack([showEntities(text, found), ...classes]);
}
