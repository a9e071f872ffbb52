/**
 * Compares batching strategies by the number of tokens that an epoch computes.
 * @module
 */

import { stream } from "@/random.ts";
import type { Example } from "@/text/example.ts";
import { type BatchPlan, planBatches } from "@/text/plan_batches.ts";

/** Batch shapes and the seed of the random orders. */
export type ComparePaddingOptions = {
  /** Padded lengths that batches may have, in ascending order; the last is the model's limit. */
  readonly lengths: readonly number[];
  /** Rows per batch. */
  readonly rows: number;
  /** Seed of the random orders. */
  readonly seed: number;
};

/** Tokens of one epoch with a batching strategy: those of the examples, and all that are computed, padding included. */
export type BatchingCost = {
  readonly name: string;
  readonly tokens: number;
  readonly paddedTokens: number;
};

/** A batching strategy and the batches that it forms from a set of examples. */
type BatchingStrategy = { readonly name: string; readonly plans: readonly BatchPlan[] };

/**
 * Plans batches for examples of the lengths `sizes` with three strategies: padded to the limit; in random order,
 * each batch padded to the shortest length that fits; and sorted by length, as in training.
 *
 * @param options `set` is the index of the set of examples, which gives each set its own random order.
 */
export function planBatchingStrategies(
  sizes: readonly number[],
  { lengths, rows, seed, set = 0 }: ComparePaddingOptions & { readonly set?: number },
): readonly BatchingStrategy[] {
  const limit = lengths.at(-1) ?? 0;
  const prng = () => stream(seed, "compare padding", set);
  return [
    {
      name: `padded to ${limit} tokens`,
      plans: planBatches(sizes, { rows, lengths: [limit], prng: null }),
    },
    {
      name: "random order",
      plans: planBatches(sizes, { rows, lengths: [limit], prng: prng() })
        .map((plan) => ({ ...plan, length: fit(plan, sizes, lengths) })),
    },
    {
      name: "sorted by length",
      plans: planBatches(sizes, { rows, lengths, prng: prng() }),
    },
  ];
}

/** Counts the tokens of an epoch over all `sets` for each of the {@link planBatchingStrategies}. Sets are not mixed in a batch. */
export function comparePadding(
  sets: readonly (readonly Example[])[],
  options: ComparePaddingOptions,
): readonly BatchingCost[] {
  const planned = sets.map((examples, set) => ({
    examples,
    ways: planBatchingStrategies(examples.map(({ ids }) => ids.length), { ...options, set }),
  }));
  const names = planned[0]?.ways.map(({ name }) => name) ?? [];
  return names.map((name, way) => {
    let tokens = 0, paddedTokens = 0;
    for (const { examples, ways } of planned) {
      for (const plan of ways[way]?.plans ?? []) {
        paddedTokens += plan.rows * plan.length; // rows that fill up short batches included
        for (const index of plan.examples) tokens += examples[index]?.ids.length ?? 0;
      }
    }
    return { name, tokens, paddedTokens };
  });
}

/** The shortest of `lengths` that fits every example of a batch. */
function fit(
  { examples, length }: BatchPlan,
  sizes: readonly number[],
  lengths: readonly number[],
) {
  const longest = Math.max(...examples.map((index) => sizes[index] ?? 0));
  return lengths.find((padded) => padded >= longest) ?? length;
}
