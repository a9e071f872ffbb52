/**
 * Which examples go into which batch, and how far each batch is padded.
 * @module
 */

import { type Prng, shuffle } from "@/random.ts";

/** One batch to be: B rows, T pieces. */
export type BatchPlan = {
  /** Indices of the examples, up to B of them; filler rows make up the rest. */
  readonly examples: readonly number[];
  /** B. */
  readonly rows: number;
  /** T, one of the padded lengths. */
  readonly length: number;
};

/** How large batches are: by rows, or by word pieces with padding. */
export type BatchSize =
  | { readonly rows: number; readonly tokens?: null }
  | { readonly tokens: number; readonly rows?: null };

/** How examples are put into batches. */
export type PlanOptions = BatchSize & {
  /** Padded lengths that batches may have, rising. */
  readonly lengths: readonly number[];
  /** Draws the order; null: longest first, for evaluation. */
  readonly prng: Prng | null;
};

/** Batches of `rows` that are shuffled together before they are sorted, as the reference does. */
const POOL_BATCHES = 50;

/**
 * Plans one epoch: every example in exactly one batch, examples of like length together.
 *
 * Shuffles, sorts by padded length inside pools, cuts, and shuffles the batches. With `rows` a pool is
 * 50 batches. With `tokens` it is the whole set, so that every epoch has the same number of batches;
 * a batch of padded length T then has ⌊tokens / T⌋ rows. All batches of a length have the same number
 * of rows: the last, short one has room for filler rows.
 *
 * @param lengths pieces of each example.
 */
export function planBatches(lengths: readonly number[], options: PlanOptions): BatchPlan[] {
  const { prng } = options;
  const rowsAt = rowCounter(options);
  const padded = lengths.map((length, example) => padLength(length, example, options.lengths));
  const indices = lengths.map((_, index) => index);
  const order = prng === null ? indices : shuffle(indices, prng);
  const pool = prng === null || options.rows == null ? order.length : POOL_BATCHES * options.rows;

  const plans: BatchPlan[] = [];
  for (let at = 0; at < order.length; at += pool) {
    // longest first: a batch's first example sets its length; the sort keeps the order of equals
    const sorted = order.slice(at, at + pool).sort((a, b) => (padded[b] ?? 0) - (padded[a] ?? 0));
    for (let next = 0; next < sorted.length;) {
      const length = padded[sorted[next] ?? 0] ?? 0;
      const rows = rowsAt(length);
      plans.push({ examples: sorted.slice(next, next + rows), rows, length });
      next += rows;
    }
  }
  return prng === null ? plans : shuffle(plans, prng);
}

/** The smallest padded length that holds `length` pieces. */
function padLength(length: number, example: number, table: readonly number[]): number {
  const found = table.find((padded) => padded >= length);
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot batch example ${example} as the longest padded length must hold its ${length} pieces: ` +
      `current value is ${table.at(-1) ?? "none"}`,
  );
}

/** Rows of a batch by its padded length. */
function rowCounter({ rows, tokens }: PlanOptions): (length: number) => number {
  const size = rows ?? tokens;
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(
      `Cannot batch as ${rows == null ? "tokens" : "rows"} must be a whole number from 1: ` +
        `current value is ${size}`,
    );
  }
  return (length) => rows ?? Math.max(1, Math.floor(size / length));
}
