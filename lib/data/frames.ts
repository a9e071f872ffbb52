/**
 * Rows as polars frames, for grouping, counting and joining in notebooks.
 * @module
 */

import pl, { type DataFrame } from "nodejs-polars";
import type { TaskData } from "@/data/load_task.ts";
import { isTaggedRow, type Row, textOfRow } from "@/data/rows.ts";

/** Options of {@link frameOfRows}. */
type FrameOptions = {
  /** Names of the classes or tags by index. */
  readonly labels: readonly string[];
};

/**
 * One line per row with `text` and its number of `words` (separated by spaces). Classified rows also have `label`;
 * tagged rows have `named`, the number of words that are part of an entity.
 *
 * @example
 * ```ts
 * import { frameOfRows } from "@/data/frames.ts";
 * const rows = [{ text: "Rates rise again", label: 1 }];
 * frameOfRows(rows, { labels: ["World", "Business"] }).toRecords();
 * // [{ text: "Rates rise again", words: 3, label: "Business" }]
 * ```
 */
export function frameOfRows(rows: readonly Row[], { labels }: FrameOptions): DataFrame {
  return pl.DataFrame(rows.map((row) => {
    const text = textOfRow(row);
    if (!isTaggedRow(row)) {
      const words = text.split(/\s+/).filter((word) => word !== "").length;
      return { text, words, label: labels[row.label] ?? String(row.label) };
    }
    const named = row.tags.filter((tag) => labels[tag] !== "O").length;
    return { text, words: row.tokens.length, named };
  }));
}

/** The sizes of a task's splits, and the number of its test texts that are also in train. */
export function describeSplits({ task, train, validation, test, overlap }: TaskData) {
  return {
    task: task.name,
    train: train.length,
    validation: validation.length,
    test: test.length,
    "test texts in train": overlap.test?.length ?? 0,
  };
}
