/**
 * Rows, tokens, batches, predictions and errors of a task in a notebook.
 * @module
 */

import type { RunConfig } from "@/config/config.ts";
import { isTaggedRow, type Row } from "@/data/rows.ts";
import type { PredictedEntity, TextPrediction } from "@/eval/text_predictor.ts";
import type { ModelTask } from "@/model/multi_task.ts";
import { describeUnknown } from "@/suggest.ts";
import type { PreparedRun } from "@/train/prepare_run.ts";
import {
  type Displayable,
  displayable,
  escapeHtml,
  showTable,
  showText,
  stack,
} from "./displayable.ts";
import { prepareRows } from "./load_rows.ts";
import type { MistaggedSentence } from "@/eval/prediction_errors.ts";
import { spans } from "@/eval/spans.ts";
import { type Batch, IGNORED } from "@/text/example.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

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

/** Shows words joined by spaces, with the entities of their BIO tags marked. */
export function showTaggedWords(words: readonly string[], tags: readonly string[]): Displayable {
  const starts: number[] = [];
  let length = 0;
  for (const word of words) {
    starts.push(length);
    length += word.length + 1;
  }
  const marked = spans(tags, "conlleval").map(({ type, start, end }) => ({
    type,
    start: starts[start] ?? 0,
    end: (starts[end - 1] ?? 0) + (words[end - 1]?.length ?? 0),
  }));
  return showEntities(words.join(" "), marked);
}

/** Shows the first sentences, each with its kinds of error, its gold entities and the predicted ones. */
export function showMistagged(
  sentences: readonly MistaggedSentence[],
  { limit = 5 }: { readonly limit?: number } = {},
): Displayable {
  return stack(
    sentences.slice(0, limit).flatMap(({ words, gold, predicted, errors }) => [
      showText(`Errors: ${errors.map(({ kind }) => kind).join(", ")}. Gold, then predicted:`),
      showTaggedWords(words, gold),
      showTaggedWords(words, predicted),
    ]),
  );
}

/** Shows one row of a batch of tagged words as a table with one line per token: id, token, mask and tag. */
export function showBatchRow(
  { ids, mask, labels, length }: Batch,
  row: number,
  options: { readonly tokenizer: Tokenizer; readonly labels: readonly string[] },
): Displayable {
  const tokens = Array.from({ length }, (_, position) => {
    const at = row * length + position;
    const label = labels[at] ?? IGNORED;
    return {
      id: ids[at] ?? 0,
      token: options.tokenizer.token(ids[at] ?? 0),
      mask: mask[at] ?? 0,
      tag: label === IGNORED ? "ignored" : options.labels[label] ?? "",
    };
  });
  return showTable(tokens, { limit: length });
}

/** An entity: the range [start, end) of the text in UTF-16 units, and its type. */
type MarkedSpan = { readonly start: number; readonly end: number; readonly type: string };

/** Background colors by entity type; dark text on each has a contrast above 7. */
const GROUNDS: Readonly<Record<string, string>> = {
  PER: "#ffd8a8",
  ORG: "#b2d8ff",
  LOC: "#b8e6b8",
  MISC: "#e6ccff",
};

const OTHER_GROUND = "#e0e0e0";

/**
 * A text with its entities marked, the type beside each, so that it reads without color too.
 *
 * @example
 * ```ts
 * import { showEntities } from "@/notebook/show_rows.ts";
 * showEntities("Ada Lovelace left London.", [
 *   { start: 0, end: 12, type: "PER" },
 *   { start: 18, end: 24, type: "LOC" },
 * ]); // [Ada Lovelace PER] left [London LOC].
 * ```
 */
export function showEntities(text: string, spans: readonly MarkedSpan[]): Displayable {
  let plain = "", html = "", at = 0;
  for (const { start, end, type } of spans.toSorted((a, b) => a.start - b.start)) {
    if (!(start >= at && end > start && end <= text.length)) {
      throw new RangeError(
        `entity spans must not overlap and must be inside the text: got [${start}, ${end})`,
      );
    }
    const between = text.slice(at, start), marked = text.slice(start, end);
    plain += `${between}[${marked} ${type}]`;
    html += escapeHtml(between) + formatMark(marked, type);
    at = end;
  }
  return displayable({
    "text/plain": plain + text.slice(at),
    "text/html": `<p style="line-height: 2">${html}${escapeHtml(text.slice(at))}</p>`,
  });
}

function formatMark(text: string, type: string): string {
  const style = `background: ${
    GROUNDS[type] ?? OTHER_GROUND
  }; color: #111; padding: 2px 4px; border-radius: 4px`;
  return `<mark style="${style}">${escapeHtml(text)} <small><b>${
    escapeHtml(type)
  }</b></small></mark>`;
}

/** Tokenizer and tag names. */
type AlignmentOptions = {
  readonly tokenizer: Tokenizer;
  /** Tag names by index. */
  readonly labels: readonly string[];
};

/**
 * Shows a tagged row as a table with one line per word: its tag, its tokens and their labels. The first token
 * of a word has the tag of the word; the others have none (`·`).
 */
export function showAlignment(
  row: Row | undefined,
  { tokenizer, labels }: AlignmentOptions,
): Displayable {
  if (row === undefined) throw new RangeError("cannot align this row: the split has no rows");
  if (!isTaggedRow(row)) {
    throw new TypeError(
      "cannot align this row: it has a text and a class, not words and tags",
    );
  }
  const { ids, words } = tokenizer.encodeWords(row.tokens);
  const lines = row.tokens.map((word, index) => {
    const tokens = [...ids].filter((_, token) => words[token] === index)
      .map((id) => tokenizer.token(id));
    const tag = labels[row.tags[index] ?? -1] ?? "";
    return { word, tag, tokens, labels: [tag, ...tokens.slice(1).map(() => "·")] };
  });
  return showTable(lines, { limit: lines.length });
}
