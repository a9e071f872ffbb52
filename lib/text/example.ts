/**
 * What a row becomes for the model: word-piece ids and labels. Shapes: T pieces, [CLS] and [SEP] included.
 * @module
 */

/** A label position that takes no part in loss or score. */
export const IGNORED = -1;

/** One encoded row, or one window of a long one. */
export type Example = {
  /** Index of the row in its split. */
  readonly row: number;
  /** [T] word-piece ids. */
  readonly ids: Int32Array;
  /** [1] the class of a classification row; [T] the tag at each first piece, else {@link IGNORED}. */
  readonly labels: Int32Array;
  /**
   * Tagging only, [T]: the word (index in its row) whose tag is read at this piece; {@link IGNORED} at
   * special pieces, at later pieces of a word and at words that another window answers for.
   */
  readonly words?: Int32Array;
};

/** Examples side by side, padded to one length. B rows, T pieces. */
export type Batch = {
  /** B, filler rows included. */
  readonly rows: number;
  /** T, one of the padded lengths. */
  readonly length: number;
  /** [B, T] row-major word-piece ids; the padding id beyond an example's end. */
  readonly ids: Int32Array;
  /** [B, T] 1 on real pieces, 0 on padding. A filler row is one [CLS] piece, so that no row is empty. */
  readonly mask: Int32Array;
  /** [B] classes or [B, T] tags; {@link IGNORED} on padding and filler rows. */
  readonly labels: Int32Array;
  /** Indices of the examples in the list that was batched, row by row; filler rows come after them. */
  readonly examples: readonly number[];
  /** Real pieces, filler rows not counted. */
  readonly tokens: number;
};
