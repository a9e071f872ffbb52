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
    const covered = planned.map(({ examples, ways }) =>
      measureCoverage(examples, ways[way]?.plans ?? [])
    );
    const sum = (key: "tokens" | "paddedTokens") =>
      covered.reduce((total, coverage) => total + coverage[key], 0);
    return { name, tokens: sum("tokens"), paddedTokens: sum("paddedTokens") };
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

/** Counts over the batches of an epoch. */
type Coverage = {
  /** Rows of the data set with at least one example in a batch. */
  readonly rows: number;
  /** Examples in the batches. Larger than `rows` if long rows are split into windows. */
  readonly examples: number;
  readonly batches: number;
  /** Rows without an example, which fill up short batches. */
  readonly fillerRows: number;
  /** Tokens of the examples. */
  readonly tokens: number;
  /** Tokens that are computed, padding and filler rows included. */
  readonly paddedTokens: number;
  /** Number of batches of each shape, longest first. */
  readonly shapes: readonly {
    readonly rows: number;
    readonly length: number;
    readonly batches: number;
  }[];
};

/** Counts rows, examples, tokens and padding in the batches of an epoch. */
export function measureCoverage(
  examples: readonly Example[],
  plans: readonly BatchPlan[],
): Coverage {
  const rows = new Set<number>();
  const shapes = new Map<string, { rows: number; length: number; batches: number }>();
  let taken = 0, fillerRows = 0, tokens = 0, paddedTokens = 0;
  for (const plan of plans) {
    const key = `${plan.rows}x${plan.length}`;
    const shape = shapes.get(key) ?? { rows: plan.rows, length: plan.length, batches: 0 };
    shape.batches++;
    shapes.set(key, shape);
    taken += plan.examples.length;
    fillerRows += plan.rows - plan.examples.length;
    paddedTokens += plan.rows * plan.length;
    for (const index of plan.examples) {
      const example = examples[index];
      if (example === undefined) continue;
      rows.add(example.row);
      tokens += example.ids.length;
    }
  }
  return {
    rows: rows.size,
    examples: taken,
    batches: plans.length,
    fillerRows,
    tokens,
    paddedTokens,
    shapes: [...shapes.values()].sort((a, b) => b.length - a.length),
  };
}

/** Describes a coverage in one line. */
export function describeCoverage(coverage: Coverage): string {
  const { rows, examples, batches, fillerRows, tokens, paddedTokens } = coverage;
  const count = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");
  const windows = examples > rows ? ` in ${count(examples)} windows` : "";
  const padding = paddedTokens === 0 ? 0 : Math.round(100 * (1 - tokens / paddedTokens));
  return `${count(rows)} rows${windows}, ${count(batches)} batches, ${
    count(fillerRows)
  } filler rows, ` +
    `${count(tokens)} tokens, ${padding} % padding`;
}
