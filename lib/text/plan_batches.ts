/**
 * Assigns examples to batches and chooses the padded length of each batch.
 * @module
 */

import { type Prng, shuffle } from "@/random.ts";

/** Plan of one batch: B rows, T tokens. */
export type BatchPlan = {
  /** Indices of the examples, at most B; filler rows complete the batch. */
  readonly examples: readonly number[];
  /** B. */
  readonly rows: number;
  /** T, one of the padded lengths. */
  readonly length: number;
};

/** Size of a batch: a number of rows, or a number of tokens with padding. */
export type BatchSize =
  | { readonly rows: number; readonly tokens?: null }
  | { readonly tokens: number; readonly rows?: null };

/** Batch size, padded lengths and order. */
type PlanOptions = BatchSize & {
  /** Padded lengths that batches may have, in ascending order. */
  readonly lengths: readonly number[];
  /** Shuffles the examples; null sorts them longest first, for evaluation. */
  readonly prng: Prng | null;
};

/**
 * Number of batches in a pool. A pool is a part of the shuffled examples that is sorted by length; larger pools pad
 * less and mix less. The reference project uses as many (see `presets.ts`).
 */
const POOL_BATCHES = 50;

/**
 * Plans one epoch. Each example is in exactly one batch, together with examples of similar length.
 *
 * The examples are shuffled, split into pools, sorted by padded length within each pool and cut into batches,
 * which are then shuffled. With `rows`, a pool has 50 batches. With `tokens`, there is one pool, so the number of
 * batches is the same in every epoch, and a batch of padded length T has ⌊tokens / T⌋ rows. All batches of one
 * length have the same number of rows: the last, short one is completed with filler rows.
 *
 * @param lengths number of tokens of each example.
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
    // longest first, so a batch's first example determines its length; the sort is stable
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

/** The smallest padded length of at least `length` tokens. */
function padLength(length: number, example: number, table: readonly number[]): number {
  const found = table.find((padded) => padded >= length);
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot batch example ${example}: it has ${length} tokens, but the longest padded length is ` +
      `${table.at(-1) ?? "missing"}`,
  );
}

/** Returns a function from the padded length of a batch to its number of rows. */
function rowCounter({ rows, tokens }: PlanOptions): (length: number) => number {
  const size = rows ?? tokens;
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(
      `Cannot batch examples: ${rows == null ? "tokens" : "rows"} must be a positive integer, ` +
        `but is ${size}`,
    );
  }
  return (length) => rows ?? Math.max(1, Math.floor(size / length));
}
