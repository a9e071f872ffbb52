/**
 * Compares two runs by the paired bootstrap over the rows of a split: both are scored on the same draws.
 *
 * The interval is the middle 95 % of the difference over draws (Koehn 2004, W04-3250).
 *
 * The result generalizes to other rows of this kind, not to other seeds: two runs of the same configuration
 * can differ by more.
 * @module
 */

import { countSpans, sumCounts } from "@/eval/entities.ts";
import {
  bootstrapPValue,
  type Interval,
  middleInterval,
  resampleScores,
  scoreTally,
  type Tally,
} from "@/statistics.ts";
import { type PredictionRecord, readPredictions } from "@/eval/prediction_record.ts";
import type { SpanRule } from "@/eval/spans.ts";
import { tallyAccuracy, tallyF1, tallyMacroF1 } from "@/eval/tallies.ts";
import { isFolder } from "@/system/files.ts";
import { stream } from "@/random.ts";

/** Comparison of two runs by one score of one split. */
export type Comparison = {
  readonly task: string;
  readonly split: string;
  /** The score that is compared. */
  readonly measure: "accuracy" | "macroF1" | "f1" | "strictF1";
  /** Number of rows; sentences for tagging tasks. */
  readonly rows: number;
  /** Score of the first run, 0 to 1. */
  readonly first: number;
  /** Score of the second run, 0 to 1. */
  readonly second: number;
  /** `second` − `first`. */
  readonly difference: number;
  /** 95 % bootstrap interval of the difference. */
  readonly interval: Interval;
  /** Two-sided p-value; at least 1 / (resamples + 1). */
  readonly pValue: number;
};

/** Options of the bootstrap. */
export type CompareOptions = {
  /** Seed of the resamples; 1 by default. */
  readonly seed?: number;
  /** Number of resamples; 10,000 by default. */
  readonly resamples?: number;
};

/** Compares the predictions of two runs for the same rows, by every score of the task's kind. */
export function comparePredictions(
  first: PredictionRecord,
  second: PredictionRecord,
  options: CompareOptions = {},
): Comparison[] {
  const { seed = 1, resamples = 10_000 } = options;
  const { task, split, gold: { length: rows } } = first;
  const mismatch = findDifference(first, second);
  if (mismatch !== null) {
    throw new RangeError(
      `Cannot compare runs: their rows of ${task} ${split} differ (${mismatch})`,
    );
  }
  const ours = tallyRecord(first), theirs = tallyRecord(second);
  const measures = Object.keys(ours) as (keyof typeof ours)[];
  const tallies = measures.flatMap((measure) => [ours[measure], theirs[measure]]);
  const drawn = resampleScores(tallies.filter((tally) => tally !== undefined), {
    prng: stream(seed, "paired", task, split),
    resamples,
  });
  return measures.map((measure, index) => {
    const [first = NaN, second = NaN] = tallies.slice(2 * index, 2 * index + 2).map((tally) =>
      tally === undefined ? NaN : scoreTally(tally)
    );
    const [drawnA = [], drawnB = []] = drawn.slice(2 * index, 2 * index + 2);
    const differences = Float64Array.from(drawnB, (score, i) => score - (drawnA[i] ?? NaN));
    return {
      task,
      split,
      measure,
      rows,
      ...{ first, second, difference: second - first },
      interval: middleInterval(differences),
      pValue: bootstrapPValue(second - first, differences),
    };
  });
}

/** Comparisons of all tasks and splits that two runs have in common. */
export type RunComparison = {
  /** One comparison per task, split and score. */
  readonly comparisons: readonly Comparison[];
  /** One sentence for each split that was left out. */
  readonly notes: readonly string[];
};

/**
 * Compares two runs on every split for which both saved predictions. Splits whose rows differ (for example
 * validation splits carved with different seeds) are skipped with a note; it is an error if all are.
 */
export async function compareRuns(
  first: string,
  second: string,
  options: CompareOptions = {},
): Promise<RunComparison> {
  const [ours, theirs] = [await readSavedPredictions(first), await readSavedPredictions(second)];
  const pairs = ours.flatMap((record) => {
    const other = theirs.find(({ task, split }) => task === record.task && split === record.split);
    return other === undefined ? [] : [[record, other] as const];
  });
  if (pairs.length === 0) {
    const name = ({ task, split }: PredictionRecord) => `${task} ${split}`;
    throw new RangeError(
      `Cannot compare the runs: they have no predictions for the same task and split. ${first} has ${
        ours.map(name).join(", ")
      }; ${second} has ${theirs.map(name).join(", ")}`,
    );
  }
  const comparisons: Comparison[] = [], notes: string[] = [];
  for (const [a, b] of pairs) {
    const difference = findDifference(a, b);
    if (difference === null) comparisons.push(...comparePredictions(a, b, options));
    else notes.push(`${a.task} ${a.split} is left out because its rows differ: ${difference}`);
  }
  if (comparisons.length === 0) {
    throw new RangeError(
      `Cannot compare the runs: no split has the same rows in both. ${notes[0]}`,
    );
  }
  return { comparisons, notes };
}

async function readSavedPredictions(run: string): Promise<PredictionRecord[]> {
  if (!await isFolder(run)) {
    throw new Deno.errors.NotFound(`Cannot compare the runs: there is no folder ${run}`);
  }
  const records = await readPredictions(run);
  if (records.length > 0) return records;
  throw new Deno.errors.NotFound(
    `Cannot compare the runs: ${run} was saved without predictions (no folder predictions/); ` +
      `if it still has its model, deno task evaluate ${run} --predictions writes them`,
  );
}

/** Tallies of all scores of a record. */
function tallyRecord(record: PredictionRecord): Partial<Record<Comparison["measure"], Tally>> {
  if (record.kind === "classification") {
    const { gold, predicted, labels } = record;
    return {
      accuracy: tallyAccuracy(gold, predicted),
      macroF1: tallyMacroF1(gold, predicted, labels.length),
    };
  }
  const name = (tag: number) => record.labels[tag] ?? "O";
  const tally = (rule: SpanRule) =>
    tallyF1(record.gold.map((tags, row) => {
      const counts = countSpans(tags.map(name), (record.predicted[row] ?? []).map(name), rule);
      return sumCounts(counts.values());
    }));
  return { f1: tally("conlleval"), strictF1: tally("strict") };
}

/** First difference between two records in label names, number of rows or gold labels; null if none. */
function findDifference(first: PredictionRecord, second: PredictionRecord): string | null {
  if (first.kind !== second.kind || first.labels.join("\n") !== second.labels.join("\n")) {
    return `the labels are ${first.labels.join()} and ${second.labels.join()}`;
  }
  if (first.gold.length !== second.gold.length) {
    return `the numbers of rows are ${first.gold.length} and ${second.gold.length}`;
  }
  const differing = first.gold.findIndex((gold, row) => String(gold) !== String(second.gold[row]));
  return differing < 0 ? null : `row ${differing} has different gold labels`;
}
