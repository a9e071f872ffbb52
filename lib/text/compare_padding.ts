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

/**
 * Counts an epoch over sets of examples, each batched by itself: padded to the limit, in random order
 * padded to the shortest length that holds a batch, and sorted by length as training does.
 */
export function comparePadding(
  sets: readonly (readonly Example[])[],
  { lengths, rows, seed }: ComparePaddingOptions,
): readonly BatchingCost[] {
  const limit = lengths.at(-1) ?? 0;
  const order = (index: number) => stream(seed, "compare padding", index);
  const sizes = sets.map((examples) => examples.map(({ ids }) => ids.length));
  const ways: readonly [string, (sizes: readonly number[], index: number) => BatchPlan[]][] = [
    [
      `all ${limit} pieces long`,
      (sizes) => planBatches(sizes, { rows, lengths: [limit], prng: null }),
    ],
    [
      "random order",
      (sizes, index) =>
        planBatches(sizes, { rows, lengths: [limit], prng: order(index) })
          .map((plan) => ({ ...plan, length: fit(plan, sizes, lengths) })),
    ],
    [
      "like lengths together",
      (sizes, index) => planBatches(sizes, { rows, lengths, prng: order(index) }),
    ],
  ];
  return ways.map(([name, plan]) => {
    const covered = sets.map((examples, index) =>
      measureCoverage(examples, plan(sizes[index] ?? [], index))
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
