/**
 * Statistics of the batches of an epoch.
 * @module
 */

import type { Example } from "@/text/example.ts";
import type { BatchPlan } from "@/text/plan_batches.ts";

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
