/**
 * Compares the variants of an experiment: means over seeds, and paired differences from the baseline between
 * runs with the same seed. The interval of a mean difference is Student's t for paired samples. With n = 3
 * pairs it extends 4.3 standard errors to either side, so small effects are not significant. Scores are
 * multiples of one row, so differences can coincide by chance; the standard deviation is therefore taken to be
 * at least one row.
 * @module
 */
import type { ExperimentResults, ResultRow } from "@/experiment/results.ts";
import type { Interval } from "@/eval/interval.ts";
import { studentQuantile } from "@/quantile.ts";

/** Summary of a variant on one task. Values are scores from 0 to 1. */
export type VariantSummary = {
  readonly variant: string;
  readonly task: string;
  readonly measure: ResultRow["measure"];
  /** One value per seed. */
  readonly values: readonly number[];
  readonly mean: number;
  /** Sample standard deviation (n − 1); null with fewer than two runs. */
  readonly deviation: number | null;
  /** Difference from the baseline over the seeds that both have; null for the baseline itself. */
  readonly difference: PairedDifference | null;
};

/** Paired differences and their mean. */
export type PairedDifference = {
  /** One value per seed that both have. */
  readonly values: readonly number[];
  readonly mean: number;
  /** 95 % interval by Student's t; null with fewer than two pairs. */
  readonly interval: Interval | null;
  readonly pairs: number;
};

/** Mean and sample standard deviation. */
function describe(values: readonly number[]): { mean: number; deviation: number | null } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** Mean and interval of paired differences. `rows` is the number of rows scored in each run. */
export function describeDifferences(
  differences: readonly number[],
  { rows }: { readonly rows: number },
): PairedDifference {
  const { mean, deviation } = describe(differences);
  const pairs = differences.length;
  if (deviation === null) return { values: differences, mean, interval: null, pairs };
  const spread = Math.max(deviation, 1 / rows);
  // rounded to three decimals, as in printed tables, so that committed results are rebuilt byte for byte
  const t = Math.round(1000 * studentQuantile(0.975, pairs - 1)) / 1000;
  const half = t * spread / Math.sqrt(pairs);
  return { values: differences, mean, interval: [mean - half, mean + half], pairs };
}

/**
 * Summarizes every variant that has runs, task by task, in the order of `variants`.
 *
 * @param reference name of the baseline: the variant that the others are compared with.
 */
export function compareVariants(
  rows: readonly ResultRow[],
  { variants, reference }: { readonly variants: readonly string[]; readonly reference: string },
): readonly VariantSummary[] {
  const tasks = [...new Set(rows.map(({ task }) => task))];
  return tasks.flatMap((task) => {
    const ofTask = rows.filter((row) => row.task === task);
    const bySeed = (variant: string) =>
      new Map(
        ofTask.filter((row) => row.variant === variant).map(({ seed, value }) => [seed, value]),
      );
    const against = bySeed(reference);
    return variants.flatMap((variant) => {
      const found = bySeed(variant);
      const measure = ofTask[0]?.measure;
      if (found.size === 0 || measure === undefined) return [];
      const values = [...found.values()];
      const differences = [...found].flatMap(([seed, value]) => {
        const other = against.get(seed);
        return other === undefined ? [] : [value - other];
      });
      const difference = variant === reference || differences.length === 0
        ? null
        : describeDifferences(differences, { rows: Math.min(...ofTask.map(({ rows }) => rows)) });
      return [{ variant, task, measure, values, ...describe(values), difference }];
    });
  });
}

/** Calls {@link compareVariants} with the variants of an experiment. */
export function compareResults(
  { experiment: { variants, reference }, rows }: Pick<ExperimentResults, "experiment" | "rows">,
): readonly VariantSummary[] {
  return compareVariants(rows, { variants: variants.map(({ name }) => name), reference });
}
