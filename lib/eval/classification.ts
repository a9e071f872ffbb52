/**
 * Classification scores: accuracy and macro-F1 with their confidence intervals, scores per class, the
 * confusion matrix and the calibration. Shapes: N rows, C classes.
 *
 * A score whose denominator is 0 is 0 (for example the precision of a class that was never predicted), as
 * with scikit-learn's `zero_division=0`. All results are plain data that can be written as JSON.
 * @module
 */

import { type Interval, middleInterval, resampleScores, shareInterval } from "@/statistics.ts";
import { type Calibration, measureCalibration, scaleProbabilities } from "@/eval/calibration.ts";
import { divide, tallyMacroF1 } from "@/eval/tallies.ts";
import { stream } from "@/random.ts";

/** Scores of one class, as fractions from 0 to 1. */
export type ClassScores = {
  /** Fraction of the rows predicted as this class that belong to it; 0 if none was predicted. */
  readonly precision: number;
  /** Fraction of the rows of this class that were predicted as it; 0 if the class has no rows. */
  readonly recall: number;
  /** Harmonic mean of precision and recall; 0 if both are 0. */
  readonly f1: number;
  /** Number of gold rows of this class. */
  readonly support: number;
};

/** Result of {@link scoreClassification}; `summary.json` holds it for a classification task. */
export type ClassificationScores = {
  /** Number of rows. */
  readonly rows: number;
  /** Fraction of rows with the correct class. */
  readonly accuracy: number;
  /** Mean F1 of the classes that occur in gold or predictions, as scikit-learn's `average="macro"`. */
  readonly macroF1: number;
  /** Expected calibration error over 15 bins; absent if no probabilities were passed. */
  readonly ece?: number;
  /** Non-empty bins behind `ece`; absent if no probabilities were passed. */
  readonly bins?: Calibration["bins"];
  /** Temperature fitted on the validation split; absent if none was passed. */
  readonly temperature?: number;
  /** `ece` of the probabilities at that temperature. On validation, the rows are those it was fitted on. */
  readonly scaledEce?: number;
  /** 95 % bootstrap interval of `accuracy`. */
  readonly interval: Interval;
  /** 95 % bootstrap interval of `macroF1`; absent in runs of versions that did not compute it. */
  readonly macroF1Interval?: Interval;
  /** Scores by class name. */
  readonly perClass: Readonly<Record<string, ClassScores>>;
  /** [C, C] row counts: gold class by predicted class, both in the order of the labels. */
  readonly confusion: readonly (readonly number[])[];
};

/** Gold and predicted classes, row by row. */
type ClassificationInput = {
  /** [N] class indices. */
  readonly gold: ArrayLike<number>;
  /** [N] class indices. */
  readonly predicted: ArrayLike<number>;
  /** [C] class names. */
  readonly labels: readonly string[];
  /** [N, C] row-major probabilities, each row summing to 1. */
  readonly probabilities?: ArrayLike<number>;
  /** If given, the calibration of `probabilities` is also measured at this temperature. */
  readonly temperature?: number;
};

/** Options of the bootstrap behind the intervals. */
type ClassificationOptions = {
  /** Seed of the resamples for `macroF1Interval`; 1 by default. */
  readonly seed?: number;
  /** Number of resamples for `macroF1Interval`; 1,000 by default. */
  readonly resamples?: number;
};

/**
 * Scores predicted classes against gold ones.
 *
 * @example
 * ```ts
 * import { scoreClassification } from "@/eval/classification.ts";
 * const { accuracy } = scoreClassification({
 *   gold: [0, 1, 1, 1],
 *   predicted: [0, 1, 1, 0],
 *   labels: ["World", "Sports"],
 * }); // 0.75
 * ```
 */
export function scoreClassification(
  input: ClassificationInput,
  options: ClassificationOptions = {},
): ClassificationScores {
  const { gold, predicted, labels } = input;
  const { seed = 1, resamples = 1000 } = options;
  const rows = gold.length, classes = labels.length;
  if (rows === 0) {
    throw new RangeError(
      "Cannot score classes: there are no rows",
    );
  }
  if (predicted.length !== rows) {
    throw new RangeError(
      `Cannot score classes: predicted must have ${rows} entries, but has ${predicted.length}`,
    );
  }
  const confusion = countConfusion(input);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const perClass: Record<string, ClassScores> = {};
  let hits = 0, f1Sum = 0, occurring = 0;
  for (let c = 0; c < classes; c++) {
    const right = confusion[c]?.[c] ?? 0;
    const support = sum(confusion[c] ?? []), given = sum(confusion.map((row) => row[c] ?? 0));
    const f1 = divide(2 * right, support + given);
    perClass[labels[c] ?? ""] = {
      precision: divide(right, given),
      recall: divide(right, support),
      f1,
      support,
    };
    hits += right;
    if (support + given > 0) {
      f1Sum += f1;
      occurring++;
    }
  }
  const [drawn = []] = resampleScores([tallyMacroF1(gold, predicted, classes)], {
    prng: stream(seed, "bootstrap", "classes"),
    resamples,
  });
  return {
    rows,
    accuracy: hits / rows,
    macroF1: f1Sum / occurring,
    ...describeCalibration(input),
    interval: shareInterval(hits, rows),
    macroF1Interval: middleInterval(drawn),
    perClass,
    confusion,
  };
}

/** [C, C] row counts by gold and predicted class. Throws if an index is not that of a class. */
function countConfusion({ gold, predicted, labels }: ClassificationInput): number[][] {
  const counts = labels.map(() => labels.map(() => 0));
  const check = (values: ArrayLike<number>, row: number, what: string) => {
    const value = values[row] ?? NaN;
    if (Number.isInteger(value) && value >= 0 && value < labels.length) return value;
    throw new RangeError(
      `Cannot score classes: ${what} of row ${row} must be from 0 to ${
        labels.length - 1
      }, but is ${value}`,
    );
  };
  for (let row = 0; row < gold.length; row++) {
    const counted = counts[check(gold, row, "gold")] ?? [];
    const given = check(predicted, row, "predicted");
    counted[given] = (counted[given] ?? 0) + 1;
  }
  return counts;
}

/** Calibration of the probabilities, raw and at the temperature; empty if there are no probabilities. */
function describeCalibration({ gold, labels, probabilities, temperature }: ClassificationInput) {
  if (probabilities === undefined) return {};
  const classes = labels.length;
  const { ece, bins } = measureCalibration({ gold, probabilities, classes });
  if (temperature === undefined) return { ece, bins };
  const scaled = scaleProbabilities(probabilities, { classes, temperature });
  const { ece: scaledEce } = measureCalibration({ gold, probabilities: scaled, classes });
  return { ece, bins, temperature, scaledEce };
}
