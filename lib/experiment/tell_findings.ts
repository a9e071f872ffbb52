/**
 * What an experiment shows so far, in sentences that are made of its numbers.
 * @module
 */
import type { PairedDifference, VariantSummary } from "@/experiment/compare_variants.ts";
import { formatPoints } from "@/report/format.ts";

/** A sentence or two a task: which variants differ from the reference by more than their intervals leave open. */
export function tellFindings(
  summaries: readonly VariantSummary[],
  reference: string,
): readonly { readonly task: string; readonly text: string }[] {
  return [...Map.groupBy(summaries, ({ task }) => task)].map(([task, own]) => {
    const compared = own.flatMap(({ variant, difference }) =>
      difference === null ? [] : [{ variant, difference }]
    );
    return { task, text: tellTask(compared, reference) };
  });
}

/** Pairs that a difference is told by at least: the spread of two is hardly known. */
const LEAST_PAIRS = 3;

type Compared = { readonly variant: string; readonly difference: PairedDifference };

function tellTask(compared: readonly Compared[], reference: string): string {
  if (compared.length === 0) {
    return `No other variant has a run with a seed of ${reference} yet, so nothing can be compared.`;
  }
  const known = compared.filter(({ difference }) => difference.pairs >= LEAST_PAIRS);
  const few = compared.filter((each) => !known.includes(each));
  const list = (variants: readonly Compared[]) =>
    variants.map(({ variant, difference: { mean, pairs } }) =>
      `${variant} (${formatPoints(mean)}, n = ${pairs})`
    ).join(", ");
  const above = known.filter(({ difference: { interval } }) =>
    interval !== null && interval[0] > 0
  );
  const below = known.filter(({ difference: { interval } }) =>
    interval !== null && interval[1] < 0
  );
  const open = known.filter((each) => !above.includes(each) && !below.includes(each));
  const sentences = [
    ...(above.length > 0
      ? [`Better than ${reference} (95 % interval excludes 0): ${list(above)}.`]
      : []),
    ...(below.length > 0
      ? [`Worse than ${reference} (95 % interval excludes 0): ${list(below)}.`]
      : []),
    ...(open.length > 0 ? [`Not significantly different from ${reference}: ${list(open)}.`] : []),
    ...(few.length > 0
      ? [`Fewer than ${LEAST_PAIRS} seeds in common, too few to tell: ${list(few)}.`]
      : []),
  ];
  return sentences.join(" ");
}
