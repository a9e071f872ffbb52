/**
 * The entities of tagged rows, one a record, as tables take them.
 * @module
 */

import { isTaggedRow, type Row } from "@/data/rows.ts";
import { spans } from "@/eval/spans.ts";

/** One entity of a data set. */
export type EntityRecord = {
  readonly type: string;
  /** Its words with a space between. */
  readonly text: string;
  readonly words: number;
  /** Index of its row. */
  readonly row: number;
};

/** Every entity of tagged rows, by conlleval's rules; `labels` are the names of tags by number. */
export function listEntities(rows: readonly Row[], labels: readonly string[]): EntityRecord[] {
  return rows.flatMap((row, index) => {
    if (!isTaggedRow(row)) return [];
    const { tokens, tags } = row;
    return spans(tags.map((tag) => labels[tag] ?? "O"), "conlleval").map((
      { type, start, end },
    ) => ({
      type,
      text: tokens.slice(start, end).join(" "),
      words: end - start,
      row: index,
    }));
  });
}
