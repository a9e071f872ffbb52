/**
 * Scores of a classification: accuracy with its interval, macro-F1, a table by class, the confusion
 * matrix and the calibration. Shapes: N rows, C classes.
 *
 * A score whose denominator is 0 (precision of a class that was never predicted) is 0, as scikit-learn's
 * `zero_division=0`; all results are plain data that survives JSON.
 * @module
 */

import { type Calibration, measureCalibration } from "@/eval/calibration.ts";
import { type Interval, shareInterval } from "@/eval/interval.ts";

/** How one class fared, as fractions from 0 to 1. */
export type ClassScores = {
  /** Share of the rows given this class that have it; 0 when none was given it. */
  readonly precision: number;
  /** Share of the rows of this class that were given it; 0 when it has no rows. */
  readonly recall: number;
  /** Harmonic mean of the two; 0 when both are. */
  readonly f1: number;
  /** Rows that have this class. */
  readonly support: number;
};

/** What {@link scoreClassification} finds; what `summary.json` holds for a classification task. */
export type ClassificationScores = {
  readonly rows: number;
  readonly accuracy: number;
  /** Mean F1 of the classes that occur in gold or predictions, as scikit-learn's `average="macro"`. */
  readonly macroF1: number;
  /** Expected calibration error over 15 bins; absent when no probabilities were given. */
  readonly ece?: number;
  /** The bins behind `ece`, empty ones left out; absent when no probabilities were given. */
  readonly bins?: Calibration["bins"];
  /** 95 % bootstrap interval of `accuracy`. */
  readonly interval: Interval;
  readonly perClass: Readonly<Record<string, ClassScores>>;
  /** [C, C] rows by gold class, then by predicted class, both in the order of the labels. */
  readonly confusion: readonly (readonly number[])[];
};

export type ClassificationInput = {
  /** [N] class numbers. */
  readonly gold: ArrayLike<number>;
  /** [N] class numbers. */
  readonly predicted: ArrayLike<number>;
  /** [C] class names. */
  readonly labels: readonly string[];
  /** [N, C] row-major probabilities, each row summing to 1. */
  readonly probabilities?: ArrayLike<number>;
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
export function scoreClassification(input: ClassificationInput): ClassificationScores {
  const { gold, predicted, labels, probabilities } = input;
  const rows = gold.length, classes = labels.length;
  if (rows === 0) {
    throw new RangeError(
      "Cannot score classes as there must be at least one row: current count is 0",
    );
  }
  if (predicted.length !== rows) {
    throw new RangeError(
      `Cannot score classes as predicted must have ${rows} entries: current length is ${predicted.length}`,
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
  const calibration = probabilities && measureCalibration({ gold, probabilities, classes });
  return {
    rows,
    accuracy: hits / rows,
    macroF1: f1Sum / occurring,
    ...(calibration && { ece: calibration.ece, bins: calibration.bins }),
    interval: shareInterval(hits, rows),
    perClass,
    confusion,
  };
}

/** [C, C] counts of rows by gold and predicted class; refuses numbers that name no class. */
function countConfusion({ gold, predicted, labels }: ClassificationInput): number[][] {
  const counts = labels.map(() => labels.map(() => 0));
  const check = (values: ArrayLike<number>, row: number, what: string) => {
    const value = values[row] ?? NaN;
    if (Number.isInteger(value) && value >= 0 && value < labels.length) return value;
    throw new RangeError(
      `Cannot score classes as ${what} of row ${row} must be from 0 to ${
        labels.length - 1
      }: current value is ${value}`,
    );
  };
  for (let row = 0; row < gold.length; row++) {
    const counted = counts[check(gold, row, "gold")] ?? [];
    const given = check(predicted, row, "predicted");
    counted[given] = (counted[given] ?? 0) + 1;
  }
  return counts;
}

/** `part / whole`; 0 where `whole` is 0. */
function divide(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
