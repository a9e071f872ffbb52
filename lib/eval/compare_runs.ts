/**
 * Is one run better than another, or were its rows kinder? The paired bootstrap over the rows of a split:
 * both runs are scored on the same draws.
 *
 * The interval is the middle 95 % of the difference over draws (Koehn 2004, W04-3250). The p-value asks how
 * often draws would differ by as much if the runs were equally good, taking the draws' differences around
 * the observed one for the chance around zero (Berg-Kirkpatrick et al. 2012, D12-1091, section 3: there
 * one-sided, a draw above twice the difference), here two-sided and with the observed difference as one more
 * draw, so that it is never 0 (Davison & Hinkley 1997, section 4.2).
 *
 * It speaks of other rows like these, not of other seeds: two runs of one recipe can differ by more.
 * @module
 */

import { resampleScores, scoreTally, type Tally } from "@/eval/bootstrap.ts";
import { countSpans, sumCounts } from "@/eval/entities.ts";
import { type Interval, middleInterval } from "@/eval/interval.ts";
import { readPredictions } from "@/eval/prediction_files.ts";
import type { PredictionRecord } from "@/eval/prediction_record.ts";
import type { SpanRule } from "@/eval/spans.ts";
import { tallyAccuracy, tallyF1, tallyMacroF1 } from "@/eval/tallies.ts";
import { isFolder } from "@/files.ts";
import { stream } from "@/random.ts";

/** Two runs side by side on one score of one split. */
export type Comparison = {
  readonly task: string;
  readonly split: string;
  readonly measure: "accuracy" | "macroF1" | "f1" | "strictF1";
  /** Rows or sentences. */
  readonly rows: number;
  readonly first: number;
  readonly second: number;
  /** `second` − `first`. */
  readonly difference: number;
  /** 95 % bootstrap interval of the difference. */
  readonly interval: Interval;
  /** Two-sided; at least 1 / (resamples + 1). */
  readonly pValue: number;
};

export type CompareOptions = {
  /** Seed of the draws; 1 by default. */
  readonly seed?: number;
  /** Draws; 10,000 by default. */
  readonly resamples?: number;
};

/** Differences closer than this are the same, as sums of fractions are rounded. */
const ROUNDING = 1e-12;

/** Compares the predictions of two runs for the same rows, by each score of the task's kind. */
export function comparePredictions(
  first: PredictionRecord,
  second: PredictionRecord,
  options: CompareOptions = {},
): Comparison[] {
  const { seed = 1, resamples = 10_000 } = options;
  const { task, split, gold: { length: rows } } = first;
  const unlike = findDifference(first, second);
  if (unlike !== null) {
    throw new RangeError(
      `Cannot compare runs as the rows of ${task} ${split} must be the same in both: ${unlike}`,
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
    const [a, b] = tallies.slice(2 * index, 2 * index + 2).map((tally) =>
      tally === undefined ? NaN : scoreTally(tally)
    );
    const [drawnA = [], drawnB = []] = drawn.slice(2 * index, 2 * index + 2);
    const differences = Float64Array.from(drawnB, (score, i) => score - (drawnA[i] ?? NaN));
    return {
      task,
      split,
      measure,
      rows,
      ...describeDifference({ first: a ?? NaN, second: b ?? NaN, differences }),
    };
  });
}

function describeDifference({ first, second, differences }: {
  readonly first: number;
  readonly second: number;
  readonly differences: Float64Array;
}) {
  const difference = second - first;
  const extreme = differences.reduce(
    (count, drawn) =>
      count + (Math.abs(drawn - difference) >= Math.abs(difference) - ROUNDING ? 1 : 0),
    1, // the observed difference itself
  );
  return {
    first,
    second,
    difference,
    interval: middleInterval(differences),
    pValue: extreme / (differences.length + 1),
  };
}

/** What two runs have in common, compared. */
export type RunComparison = {
  readonly comparisons: readonly Comparison[];
  /** What was left out, a sentence each. */
  readonly notes: readonly string[];
};

/**
 * Compares two runs on every split whose predictions both have kept. Splits with other rows, such as
 * validation carved with another seed, are left out with a note, unless none is left.
 */
export async function compareRuns(
  first: string,
  second: string,
  options: CompareOptions = {},
): Promise<RunComparison> {
  const [ours, theirs] = [await readKept(first), await readKept(second)];
  const pairs = ours.flatMap((record) => {
    const other = theirs.find(({ task, split }) => task === record.task && split === record.split);
    return other === undefined ? [] : [[record, other] as const];
  });
  if (pairs.length === 0) {
    const name = ({ task, split }: PredictionRecord) => `${task} ${split}`;
    throw new RangeError(
      `Cannot compare runs as both must have predictions for the same task and split: ${first} has ${
        ours.map(name).join(", ")
      }; ${second} has ${theirs.map(name).join(", ")}`,
    );
  }
  const comparisons: Comparison[] = [], notes: string[] = [];
  for (const [a, b] of pairs) {
    const difference = findDifference(a, b);
    if (difference === null) comparisons.push(...comparePredictions(a, b, options));
    else notes.push(`${a.task} ${a.split} is left out as its rows are not the same: ${difference}`);
  }
  if (comparisons.length === 0) {
    throw new RangeError(`Cannot compare runs as no split has the same rows in both: ${notes[0]}`);
  }
  return { comparisons, notes };
}

async function readKept(run: string): Promise<PredictionRecord[]> {
  if (!await isFolder(run)) {
    throw new Deno.errors.NotFound(`Cannot compare runs as the folder must exist: ${run}`);
  }
  const records = await readPredictions(run);
  if (records.length > 0) return records;
  throw new Deno.errors.NotFound(
    `Cannot compare runs as ${run} must hold predictions/: it was kept without them; ` +
      `deno task evaluate ${run} --predictions makes them where its model is there`,
  );
}

/** The scores of a record as sums over rows. */
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

/** How the rows of two records differ, in number, labels or gold labels; null where they are the same. */
function findDifference(first: PredictionRecord, second: PredictionRecord): string | null {
  if (first.kind !== second.kind || first.labels.join("\n") !== second.labels.join("\n")) {
    return `labels are ${first.labels.join()} and ${second.labels.join()}`;
  }
  if (first.gold.length !== second.gold.length) {
    return `their numbers are ${first.gold.length} and ${second.gold.length}`;
  }
  const differing = first.gold.findIndex((gold, row) => String(gold) !== String(second.gold[row]));
  return differing < 0 ? null : `row ${differing} has another gold label`;
}
