/**
 * Rows of a data set.
 * @module
 */

/** A text and the index of its class. */
export type TextRow = { readonly text: string; readonly label: number };

/** Words and the index of each word's BIO tag. */
export type TaggedRow = { readonly tokens: readonly string[]; readonly tags: readonly number[] };

/** A row of a classification or tagging task. */
export type Row = TextRow | TaggedRow;

/** True if the row has words and tags. */
export function isTaggedRow(row: Row): row is TaggedRow {
  return "tokens" in row;
}

/** The text of a row; words are joined with spaces. */
export function textOfRow(row: Row): string {
  return isTaggedRow(row) ? row.tokens.join(" ") : row.text;
}

/**
 * Ascending indices of the rows whose text also occurs in `train`. Texts are compared exactly, including case and
 * white space.
 */
export function findOverlap(rows: readonly Row[], train: readonly Row[]): number[] {
  const known = new Set(train.map(textOfRow));
  return rows.flatMap((row, index) => known.has(textOfRow(row)) ? [index] : []);
}
