/**
 * The main scores as functions of summed row counts, for the bootstrap. Shapes: N rows, C classes.
 * @module
 */

import type { Tally } from "@/statistics.ts";

/** Number of predicted, gold and correctly predicted spans. */
export type SpanCounts = {
  readonly correct: number;
  readonly predicted: number;
  readonly gold: number;
};

/** Tally of accuracy. */
export function tallyAccuracy(gold: ArrayLike<number>, predicted: ArrayLike<number>): Tally {
  return {
    width: 2,
    counts: Array.from(gold, (label, row) => [label === predicted[row] ? 1 : 0, 1]).flat(),
    score: ([hits = 0, rows = 0]) => divide(hits, rows),
  };
}

/** Tally of macro-F1: the mean F1 of the classes that occur in gold or predictions. */
export function tallyMacroF1(
  gold: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): Tally {
  const width = 2 * classes; // per class: twice the correct rows, then gold plus predicted rows
  const counts = new Uint8Array(gold.length * width);
  const addTo = (row: number, place: number, count: number) => {
    counts[row * width + place] = (counts[row * width + place] ?? 0) + count;
  };
  for (let row = 0; row < gold.length; row++) {
    const label = gold[row] ?? 0, given = predicted[row] ?? 0;
    if (label === given) addTo(row, label, 2);
    addTo(row, classes + label, 1);
    addTo(row, classes + given, 1);
  }
  return {
    width,
    counts,
    score(sums) {
      let total = 0, occurring = 0;
      for (let c = 0; c < classes; c++) {
        const either = sums[classes + c] ?? 0;
        if (either === 0) continue;
        total += (sums[c] ?? 0) / either;
        occurring++;
      }
      return divide(total, occurring);
    },
  };
}

/** Tally of the micro-averaged F1 of spans, from the counts of each sentence. */
export function tallyF1(sentences: readonly SpanCounts[]): Tally {
  return {
    width: 2,
    counts: sentences.flatMap(({ correct, predicted, gold }) => [2 * correct, predicted + gold]),
    score: ([hits = 0, either = 0]) => divide(hits, either),
  };
}

/** `part / whole`; 0 if `whole` is 0. */
export function divide(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
