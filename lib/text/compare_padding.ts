/**
 * What an epoch computes under different ways of batching.
 * @module
 */

import { stream } from "@/random.ts";
import { measureCoverage } from "@/text/coverage.ts";
import type { Example } from "@/text/example.ts";
import { type BatchPlan, planBatches } from "@/text/plan_batches.ts";

/** How batches are made. */
export type ComparePaddingOptions = {
  /** Padded lengths that batches may have, rising; the last is the model's limit. */
  readonly lengths: readonly number[];
  /** Rows of a batch. */
  readonly rows: number;
  /** Of the orders. */
  readonly seed: number;
};

/** One way of batching: word pieces of the examples, and all that is computed. */
export type BatchingCost = {
  readonly name: string;
  readonly tokens: number;
  readonly paddedTokens: number;
};

/** One way of batching and the batches that it makes of a set of examples. */
export type BatchingWay = { readonly name: string; readonly plans: readonly BatchPlan[] };

/**
 * Batches of examples of the given lengths in three ways: padded to the limit, in random order padded to
 * the shortest length that holds a batch, and sorted by length as training does. `set` numbers the set of
 * examples: each has an order of its own.
 */
export function planWays(
  sizes: readonly number[],
  { lengths, rows, seed, set = 0 }: ComparePaddingOptions & { readonly set?: number },
): readonly BatchingWay[] {
  const limit = lengths.at(-1) ?? 0;
  const prng = () => stream(seed, "compare padding", set);
  return [
    {
      name: `all ${limit} pieces long`,
      plans: planBatches(sizes, { rows, lengths: [limit], prng: null }),
    },
    {
      name: "random order",
      plans: planBatches(sizes, { rows, lengths: [limit], prng: prng() })
        .map((plan) => ({ ...plan, length: fit(plan, sizes, lengths) })),
    },
    {
      name: "like lengths together",
      plans: planBatches(sizes, { rows, lengths, prng: prng() }),
    },
  ];
}

/** Counts an epoch over sets of examples, each batched by itself in each of the {@link planWays}. */
export function comparePadding(
  sets: readonly (readonly Example[])[],
  options: ComparePaddingOptions,
): readonly BatchingCost[] {
  const planned = sets.map((examples, set) => ({
    examples,
    ways: planWays(examples.map(({ ids }) => ids.length), { ...options, set }),
  }));
  const names = planned[0]?.ways.map(({ name }) => name) ?? [];
  return names.map((name, way) => {
    const covered = planned.map(({ examples, ways }) =>
      measureCoverage(examples, ways[way]?.plans ?? [])
    );
    const sum = (key: "tokens" | "paddedTokens") =>
      covered.reduce((total, coverage) => total + coverage[key], 0);
    return { name, tokens: sum("tokens"), paddedTokens: sum("paddedTokens") };
  });
}

/** The shortest of `lengths` that holds all of a batch. */
function fit(
  { examples, length }: BatchPlan,
  sizes: readonly number[],
  lengths: readonly number[],
) {
  const longest = Math.max(...examples.map((index) => sizes[index] ?? 0));
  return lengths.find((padded) => padded >= longest) ?? length;
}
