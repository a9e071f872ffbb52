/**
 * Model inputs of a row: token ids and labels. Shapes: T tokens, [CLS] and [SEP] included.
 * @module
 */

/** Label of positions that loss and scores ignore. */
export const IGNORED = -1;

/** An encoded row, or one window of a long row. */
export type Example = {
  /** Index of the row in its split. */
  readonly row: number;
  /** [T] token ids. */
  readonly ids: Int32Array;
  /** Classification: [1] the class. Tagging: [T] the word's tag at its first token, else {@link IGNORED}. */
  readonly labels: Int32Array;
  /**
   * Tagging only, [T]: index in the row of the word whose tag is predicted at this token. {@link IGNORED} at
   * special tokens, at all but the first token of a word, and at words that another window predicts.
   */
  readonly words?: Int32Array;
};

/** Examples padded to one length. B rows, T tokens. */
export type Batch = {
  /** B, filler rows included. */
  readonly rows: number;
  /** T, one of the padded lengths. */
  readonly length: number;
  /** [B, T] token ids, row-major; the padding id after the end of an example. */
  readonly ids: Int32Array;
  /** [B, T] 1 at real tokens, 0 at padding. A filler row has one [CLS] token, so no row is empty. */
  readonly mask: Int32Array;
  /** [B] classes or [B, T] tags; {@link IGNORED} at padding and in filler rows. */
  readonly labels: Int32Array;
  /** Index of each row's example in the list that was batched. Filler rows come last and have no entry. */
  readonly examples: readonly number[];
  /** Number of real tokens, filler rows excluded. */
  readonly tokens: number;
};
