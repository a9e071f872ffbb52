/**
 * Words and their tokens (word pieces) side by side in a notebook.
 * @module
 */

import { isTaggedRow, type Row } from "@/data/rows.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";
import type { Displayable } from "./displayable.ts";
import { showTable } from "./show_table.ts";

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
