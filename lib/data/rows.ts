/**
 * Rows of a data set, as they are read.
 * @module
 */

/** A text and the number of its class. */
export type TextRow = { readonly text: string; readonly label: number };

/** Words and the number of each word's BIO tag. */
export type TaggedRow = { readonly tokens: readonly string[]; readonly tags: readonly number[] };

/** A row of either kind of task. */
export type Row = TextRow | TaggedRow;

/** Whether a row is one of words and tags. */
export function isTaggedRow(row: Row): row is TaggedRow {
  return "tokens" in row;
}

/** What a row says: its text, or its words with a space between. */
export function textOfRow(row: Row): string {
  return isTaggedRow(row) ? row.tokens.join(" ") : row.text;
}

/**
 * Indices of the rows whose text also occurs in `train`, rising.
 *
 * Texts are compared as they stand: neither case nor space is evened out.
 */
export function findOverlap(rows: readonly Row[], train: readonly Row[]): number[] {
  const known = new Set(train.map(textOfRow));
  return rows.flatMap((row, index) => known.has(textOfRow(row)) ? [index] : []);
}
