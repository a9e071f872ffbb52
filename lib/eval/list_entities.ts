/**
 * Lists the entities of tagged rows as records for tables.
 * @module
 */

import { isTaggedRow, type Row } from "@/data/rows.ts";
import { spans } from "@/eval/spans.ts";

/** One entity of a data set. */
type EntityRecord = {
  readonly type: string;
  /** Words of the entity, joined by spaces. */
  readonly text: string;
  readonly words: number;
  /** Index of its row. */
  readonly row: number;
};

/** All entities of tagged rows, by conlleval's rules. `labels` are the tag names by tag index. */
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
