/**
 * Rows, batches and predictions of a task in a notebook, as people read them.
 * @module
 */

import { isTaggedRow, type Row } from "@/data/rows.ts";
import type { PredictedEntity, TextPrediction } from "@/eval/text_predictor.ts";
import type { ModelTask } from "@/model/model_task.ts";
import { didYouMean } from "@/suggest.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import { DISPLAY, type Displayable, displayable, escapeHtml } from "./displayable.ts";
import { showEntities } from "./show_entities.ts";
import { showTable } from "./show_table.ts";
import { showBatchRow, showTaggedWords } from "./show_tagged.ts";

/** Displays one below the other. */
export function stack(parts: readonly Displayable[]): Displayable {
  const shown = parts.map((part) => part[DISPLAY]());
  return displayable({
    "text/plain": shown.map((part) => part["text/plain"]).join("\n"),
    "text/html": shown.map((part) => part["text/html"]).join("\n"),
  });
}

/** A line of text. */
export function showText(text: string): Displayable {
  return displayable({ "text/plain": text, "text/html": `<p>${escapeHtml(text)}</p>` });
}

/** The first rows of a task, its labels by name: classes in a table, entities marked in their text. */
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

/**
 * Draws the next training batch of a tagging task and shows its measures and one of its rows. The
 * stream of the run goes on with the batch after it.
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
    throw new RangeError(
      `Cannot show batch as the task must be one of ${known.join(", ")}: current value is ${name}${
        didYouMean(name, known)
      }`,
    );
  }
  const batch = stream.next();
  const padding = 1 - batch.tokens / (batch.rows * batch.length);
  const measures = `${batch.rows} rows of ${batch.length} pieces, ${
    (100 * padding).toFixed(0)
  } % padding; row ${row}:`;
  return stack([showText(measures), showBatchRow(batch, row, { tokenizer, labels: task.labels })]);
}

/** A prediction: the text with its entities marked, and each class with its probability. */
export function showPrediction({ text, labels, entities }: TextPrediction): Displayable {
  const found: PredictedEntity[] = Object.values(entities).flat();
  const classes = Object.entries(labels).map(([task, { label, probability }]) =>
    showText(`${task}: ${label} (${(100 * probability).toFixed(1)} %)`)
  );
  return stack([showEntities(text, found), ...classes]);
}
