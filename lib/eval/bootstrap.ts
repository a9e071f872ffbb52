/**
 * Bootstrap over rows (Efron & Tibshirani 1993): draws N of N rows with replacement and scores each draw.
 * Tallies that are resampled together are scored on the same draws, so their differences are paired.
 * Shapes: N rows, K counts per row, R resamples.
 * @module
 */

import type { Prng } from "@/random.ts";

/** A score that is a function of per-row counts summed over all rows. */
export type Tally = {
  /** [N, K] row-major. */
  readonly counts: ArrayLike<number>;
  /** K. */
  readonly width: number;
  /** Computes the score from the summed counts [K]. */
  score(sums: Float64Array): number;
};

/** Number of resamples and source of randomness. */
type BootstrapOptions = {
  readonly prng: Prng;
  /** R. */
  readonly resamples: number;
};

/** Computes the score over all rows, without resampling. */
export function scoreTally({ counts, width, score }: Tally): number {
  const sums = new Float64Array(width);
  for (let i = 0; i < counts.length; i++) {
    sums[i % width] = (sums[i % width] ?? 0) + (counts[i] ?? 0);
  }
  return score(sums);
}

/**
 * Draws N of N rows R times and scores each draw by every tally. Returns [R] scores per tally.
 *
 * Rows with identical counts are grouped, so drawing a row costs one addition, whatever K is.
 */
export function resampleScores(
  tallies: readonly Tally[],
  { prng, resamples }: BootstrapOptions,
): Float64Array[] {
  const rows = countRows(tallies);
  const { patternOf, examples } = findPatterns(tallies, rows);
  const scores = tallies.map(() => new Float64Array(resamples));
  const drawn = new Float64Array(examples.length);
  for (let sample = 0; sample < resamples; sample++) {
    drawn.fill(0);
    for (let draw = 0; draw < rows; draw++) {
      const pattern = patternOf[prng.below(rows)] ?? 0;
      drawn[pattern] = (drawn[pattern] ?? 0) + 1;
    }
    tallies.forEach(({ counts, width, score }, t) => {
      const sums = new Float64Array(width);
      examples.forEach((row, pattern) => {
        const times = drawn[pattern] ?? 0;
        if (times === 0) return;
        for (let k = 0; k < width; k++) {
          sums[k] = (sums[k] ?? 0) + times * (counts[row * width + k] ?? 0);
        }
      });
      const target = scores[t];
      if (target !== undefined) target[sample] = score(sums);
    });
  }
  return scores;
}

/** N. Throws unless all tallies have the same number of rows, at least 1. */
function countRows(tallies: readonly Tally[]): number {
  const counts = new Set(tallies.map(({ counts, width }) => counts.length / width));
  const [rows = 0] = counts;
  if (counts.size !== 1 || !Number.isInteger(rows) || rows < 1) {
    throw new RangeError(
      `Cannot resample as all tallies must have the same number of rows, at least 1: current numbers are ${
        [...counts].join(", ")
      }`,
    );
  }
  return rows;
}

/** Groups rows with identical counts into patterns: the pattern of each row, and one row of each pattern. */
function findPatterns(tallies: readonly Tally[], rows: number) {
  const known = new Map<string, number>();
  const examples: number[] = [];
  const patternOf = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const key = tallies.map(({ counts, width }) =>
      Array.from({ length: width }, (_, k) => counts[row * width + k]).join()
    ).join(";");
    const pattern = known.get(key) ?? known.size;
    if (pattern === examples.length) examples.push(row);
    known.set(key, pattern);
    patternOf[row] = pattern;
  }
  return { patternOf, examples };
}
