/**
 * Compares the variants of an experiment: means over seeds, and paired differences from the baseline between
 * runs with the same seed. With n = 3 pairs, the interval of a mean difference extends 4.3 standard errors to either side,
 * so small effects are not significant.
 * @module
 */
import type { ExperimentResults, ResultRow } from "@/experiment/results.ts";
import { describeDifferences, meanAndDeviation, type PairedDifference } from "@/statistics.ts";

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
      return [{ variant, task, measure, values, ...meanAndDeviation(values), difference }];
    });
  });
}

/** Calls {@link compareVariants} with the variants of an experiment. */
export function compareResults(
  { experiment: { variants, reference }, rows }: Pick<ExperimentResults, "experiment" | "rows">,
): readonly VariantSummary[] {
  return compareVariants(rows, { variants: variants.map(({ name }) => name), reference });
}
