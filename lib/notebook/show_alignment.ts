/**
 * Words and their word pieces side by side in a notebook.
 * @module
 */

import { isTaggedRow, type Row } from "@/data/rows.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import type { Displayable } from "./displayable.ts";
import { showTable } from "./show_table.ts";

/** What words are aligned with. */
export type AlignmentOptions = {
  readonly tokenizer: Tokenizer;
  /** Names of tags, by number. */
  readonly labels: readonly string[];
};

/**
 * A tagged row as a table, a word a line: its tag, its pieces, and what each piece is asked for: the tag at
 * the first, nothing (`·`) at the others.
 */
export function showAlignment(
  row: Row,
  { tokenizer, labels }: AlignmentOptions,
): Displayable {
  if (!isTaggedRow(row)) {
    throw new TypeError(
      "Cannot show alignment as the row must have words and tags: it has a text and a label",
    );
  }
  const { ids, words } = tokenizer.encodeWords(row.tokens);
  const lines = row.tokens.map((word, index) => {
    const pieces = [...ids].filter((_, piece) => words[piece] === index)
      .map((id) => tokenizer.token(id));
    const tag = labels[row.tags[index] ?? -1] ?? "";
    return { word, tag, pieces, asked: [tag, ...pieces.slice(1).map(() => "·")] };
  });
  return showTable(lines, { limit: lines.length });
}
