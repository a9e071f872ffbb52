/**
 * Describes the findings of an experiment in sentences that are generated from its numbers.
 * @module
 */
import type { PairedDifference, VariantSummary } from "@/experiment/compare_variants.ts";
import { formatPoints } from "@/report/format.ts";
import { escapeMarkdown } from "@/report/tables.ts";

/** Findings on one task, a claim per sentence. */
type Findings = { readonly task: string; readonly sentences: readonly string[] };

/** Per task, sentences that say which variants differ significantly from the baseline. */
export function describeFindings(
  summaries: readonly VariantSummary[],
  reference: string,
): readonly Findings[] {
  return [...Map.groupBy(summaries, ({ task }) => task)].map(([task, own]) => {
    const compared = own.flatMap(({ variant, difference }) =>
      difference === null ? [] : [{ variant, difference }]
    );
    return { task, sentences: describeTask(compared, reference) };
  });
}

/** Minimum number of pairs to call a difference significant; the spread of two pairs is hardly known. */
const MIN_PAIRS = 3;

type Compared = { readonly variant: string; readonly difference: PairedDifference };

function describeTask(compared: readonly Compared[], reference: string): readonly string[] {
  if (compared.length === 0) {
    return [`Nothing to compare yet: no other variant has a run with a seed of ${reference}.`];
  }
  const known = compared.filter(({ difference }) => difference.pairs >= MIN_PAIRS);
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
  const insignificant = known.filter((each) => !above.includes(each) && !below.includes(each));
  return [
    ...(above.length > 0
      ? [`Better than the baseline (95 % interval excludes 0): ${list(above)}.`]
      : []),
    ...(below.length > 0
      ? [`Worse than the baseline (95 % interval excludes 0): ${list(below)}.`]
      : []),
    ...(insignificant.length > 0
      ? [`Not significantly different from the baseline: ${list(insignificant)}.`]
      : []),
    ...(few.length > 0
      ? [`Too few seeds to compare (fewer than ${MIN_PAIRS}): ${list(few)}.`]
      : []),
  ];
}

/** Markdown list with an item per task and a nested item per sentence. */
export function listFindings(findings: readonly Findings[]): string {
  return findings.flatMap(({ task, sentences }) => [
    `- **${escapeMarkdown(task)}**`,
    ...sentences.map((sentence) => `  - ${escapeMarkdown(sentence)}`),
  ]).join("\n");
}
