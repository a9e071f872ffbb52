/**
 * Variants of an experiment side by side: means over seeds, and differences to the reference of runs with
 * the same seed. The interval of a mean difference is Student's t (as in any text on paired samples): with
 * n = 3 pairs it spans 4.3 standard errors to either side, so small effects cannot show. Scores are counted
 * in rows: a spread below one row is taken for one, or differences that agree to the row by chance would make
 * an interval of no width.
 * @module
 */
import type { ExperimentResults, ResultRow } from "@/experiment/results.ts";
import type { Interval } from "@/eval/interval.ts";
import { studentQuantile } from "@/quantile.ts";

/** A variant on one task. Values are scores, 0 to 1. */
export type VariantSummary = {
  readonly variant: string;
  readonly task: string;
  readonly measure: ResultRow["measure"];
  /** One a seed. */
  readonly values: readonly number[];
  readonly mean: number;
  /** Sample standard deviation (n − 1); null with fewer than two runs. */
  readonly deviation: number | null;
  /** Mean difference to the reference over seeds that both have; null for the reference itself. */
  readonly difference: PairedDifference | null;
};

/** Paired differences and their mean. */
export type PairedDifference = {
  /** One a seed that both have. */
  readonly values: readonly number[];
  readonly mean: number;
  /** 95 % interval by Student's t; null with fewer than two pairs. */
  readonly interval: Interval | null;
  readonly pairs: number;
};

/** The mean of values and their sample standard deviation. */
function describe(values: readonly number[]): { mean: number; deviation: number | null } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** The mean of differences with its interval; `rows` were scored in each run. */
export function describeDifferences(
  differences: readonly number[],
  { rows }: { readonly rows: number },
): PairedDifference {
  const { mean, deviation } = describe(differences);
  const pairs = differences.length;
  if (deviation === null) return { values: differences, mean, interval: null, pairs };
  const spread = Math.max(deviation, 1 / rows);
  // to three decimals, as printed tables have it: committed results are rebuilt byte for byte
  const t = Math.round(1000 * studentQuantile(0.975, pairs - 1)) / 1000;
  const half = t * spread / Math.sqrt(pairs);
  return { values: differences, mean, interval: [mean - half, mean + half], pairs };
}

/**
 * Summarizes every variant that has runs, task by task, in the order of `variants`.
 *
 * @param reference the variant that the others are compared with.
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

/** {@link compareVariants} of an experiment as it is declared. */
export function compareResults(
  { experiment: { variants, reference }, rows }: Pick<ExperimentResults, "experiment" | "rows">,
): readonly VariantSummary[] {
  return compareVariants(rows, { variants: variants.map(({ name }) => name), reference });
}
