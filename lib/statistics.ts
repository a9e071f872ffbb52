/**
 * Statistics: one convention for each.
 *
 * - Quantiles interpolate linearly between neighbors (type 7 of Hyndman & Fan 1996, the default of NumPy and R).
 * - Intervals are at 95 %. Over rows they come from the percentile bootstrap (Efron & Tibshirani 1993, chapter 13): N of N
 *   rows are drawn with replacement from a named random stream, and the interval is the middle 95 % of the scores.
 * - Over runs, whose number is small, intervals are Student's t for paired samples.
 * - A difference is paired: both sides are scored on the same draws, or by runs with the same seed.
 *
 * Shapes: N rows, K counts per row, R resamples.
 * @module
 */

import type { Prng } from "@/random.ts";

/** Bounds of a 95 % interval, as fractions. */
export type Interval = readonly [low: number, high: number];

/** Quantiles at the two bounds. */
const TAILS = [0.025, 0.975] as const;

/**
 * Quantile of a sample by linear interpolation, as `numpy.quantile` computes it. NaN if there are no values. Does not
 * change `values`.
 */
export function quantile(values: ArrayLike<number>, share: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), share);
}

function quantileOfSorted(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1), below = Math.floor(position);
  const low = sorted[below] ?? NaN, high = sorted[Math.ceil(position)] ?? NaN;
  return low + (high - low) * (position - below);
}

/** Median of a sample; NaN if there are no values. */
export const median = (values: ArrayLike<number>): number => quantile(values, 0.5);

/** Mean and sample standard deviation (n − 1), which is null with fewer than two values. */
export function meanAndDeviation(
  values: readonly number[],
): { readonly mean: number; readonly deviation: number | null } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** The middle 95 % of `values`. Does not change `values`. */
export function middleInterval(values: ArrayLike<number>): Interval {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) {
    throw new RangeError(
      "Cannot take an interval as values must not be empty: current length is 0",
    );
  }
  return [quantileOfSorted(sorted, TAILS[0]), quantileOfSorted(sorted, TAILS[1])];
}

/**
 * Bootstrap interval of the proportion `hits / rows`, computed exactly, without resampling: the hits of a
 * resample follow a binomial(rows, hits / rows) distribution, whose quantiles are the limit of the
 * percentiles as the number of resamples grows.
 */
export function shareInterval(hits: number, rows: number): Interval {
  if (
    !(Number.isInteger(hits) && Number.isInteger(rows) && 0 <= hits && hits <= rows && rows > 0)
  ) {
    throw new RangeError(
      `Cannot take an interval as hits must be from 0 to rows and rows at least 1: current values are ${hits} of ${rows}`,
    );
  }
  if (hits === 0 || hits === rows) return [hits / rows, hits / rows];
  const odds = Math.log(hits / (rows - hits));
  // Probability of each count relative to that of `hits`, the most likely count. Computed outward from `hits`, so that nothing underflows early.
  const weights = new Float64Array(rows + 1);
  weights[hits] = 1;
  for (let k = hits, log = 0; k < rows; k++) {
    log += Math.log((rows - k) / (k + 1)) + odds;
    weights[k + 1] = Math.exp(log);
  }
  for (let k = hits, log = 0; k > 0; k--) {
    log += Math.log(k / (rows - k + 1)) - odds;
    weights[k - 1] = Math.exp(log);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const at = (share: number) => {
    let below = 0;
    for (let k = 0; k <= rows; k++) {
      below += weights[k] ?? 0;
      if (below >= share * total) return k / rows;
    }
    return 1;
  };
  return [at(TAILS[0]), at(TAILS[1])];
}

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

/**
 * Γ(a + ½) / Γ(a), by its asymptotic series for a ≥ 16 and by recurrence below. The relative error is below 1e-13 for any
 * a, which a difference of two logarithms of Γ would not give.
 */
function gammaRatio(a: number): number {
  if (a < 16) return gammaRatio(a + 1) * a / (a + 0.5);
  return Math.sqrt(a) *
    Math.exp(-1 / (8 * a) + 1 / (192 * a ** 3) - 1 / (640 * a ** 5) + 17 / (14336 * a ** 7));
}

/**
 * The regularized incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22) with Lentz's method. `rest`
 * is 1 − x, passed separately because the subtraction would lose the digits of an x near 1, and `beta` is B(a, b). The
 * fraction converges for x below (a + 1) / (a + b + 2); other values use the symmetry I_x(a, b) = 1 − I_1−x(b, a).
 */
function incompleteBeta(x: number, rest: number, a: number, b: number, beta: number): number {
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(rest, x, b, a, beta);
  if (x <= 0) return 0;
  let fraction = 1, upper = 1, lower = 0;
  for (let i = 0; i < 10_000; i++) {
    const m = Math.floor(i / 2);
    const term = i === 0
      ? 1
      : i % 2 === 0
      ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    lower = 1 / (1 + term * lower || Number.MIN_VALUE);
    upper = 1 + term / upper || Number.MIN_VALUE;
    const factor = lower * upper;
    fraction *= factor;
    if (i > 0 && Math.abs(factor - 1) < 1e-15) break;
  }
  return Math.exp(a * Math.log(x) + b * Math.log(rest)) * (fraction - 1) / (a * beta);
}

/**
 * Quantile of Student's t distribution: with `freedom` degrees of freedom, which may be fractional, t does not exceed it
 * with probability `share`. Inverts the incomplete beta function by bisection, to 1e-10 of SciPy's values.
 *
 * @example
 * ```ts
 * import { studentQuantile } from "@/statistics.ts";
 * studentQuantile(0.975, 11); // 2.201 (twelve seeds)
 * ```
 */
export function studentQuantile(share: number, freedom: number): number {
  if (!(share > 0 && share < 1) || !(freedom > 0 && freedom < Infinity)) {
    throw new RangeError(
      `Cannot compute a quantile of Student's t as share must be between 0 and 1 and the degrees of freedom must be ` +
        `finite and above 0: current values are ${share} and ${freedom}`,
    );
  }
  if (share < 0.5) return -studentQuantile(1 - share, freedom);
  // Near the center the probability between 0 and t is inverted, else that above t: neither loses digits.
  const isCentral = share < 0.75, wanted = isCentral ? share - 0.5 : 1 - share;
  const half = freedom / 2, beta = Math.sqrt(Math.PI) / gammaRatio(half); // B(half, ½)
  const isBelow = (t: number) => {
    const x = freedom / (freedom + t * t), rest = 1 / (1 + freedom / (t * t));
    return isCentral
      ? incompleteBeta(rest, x, 0.5, half, beta) / 2 < wanted
      : incompleteBeta(x, rest, half, 0.5, beta) / 2 > wanted;
  };
  let low = 0, high = 1;
  while (isBelow(high)) [low, high] = [high, 2 * high];
  for (let middle; (middle = (low + high) / 2) > low && middle < high;) {
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return high;
}

/** Mean and interval of paired differences between runs with the same seeds. */
export type PairedDifference = {
  /** One value per seed that both have. */
  readonly values: readonly number[];
  readonly mean: number;
  /** 95 % interval by Student's t; null with fewer than two pairs. */
  readonly interval: Interval | null;
  readonly pairs: number;
};

/**
 * Mean of paired differences with its interval by Student's t. `rows` is the number of rows scored in each run: scores
 * are multiples of one row, so differences can coincide by chance, and the standard deviation is taken to be at least
 * one row.
 */
export function describeDifferences(
  differences: readonly number[],
  { rows }: { readonly rows: number },
): PairedDifference {
  const { mean, deviation } = meanAndDeviation(differences);
  const pairs = differences.length;
  if (deviation === null) return { values: differences, mean, interval: null, pairs };
  const spread = Math.max(deviation, 1 / rows);
  // rounded to three decimals, as in printed tables, so that committed results are rebuilt byte for byte
  const t = Math.round(1000 * studentQuantile(TAILS[1], pairs - 1)) / 1000;
  const half = t * spread / Math.sqrt(pairs);
  return { values: differences, mean, interval: [mean - half, mean + half], pairs };
}

/**
 * Two-sided p-value of a `difference` by the paired bootstrap: how often `draws` would differ by at least as much if both
 * sides were equally good. It assumes that differences would then spread around zero as the drawn ones spread around the
 * observed one (Berg-Kirkpatrick et al. 2012, D12-1091, section 3). The observed difference is one more draw, so that the
 * p-value is never 0 (Davison & Hinkley 1997, section 4.2).
 */
export function bootstrapPValue(difference: number, draws: Float64Array): number {
  const least = Math.abs(difference) - 1e-12; // differences that only rounding separates are equal
  const extreme = draws.filter((drawn) => Math.abs(drawn - difference) >= least).length;
  return (extreme + 1) / (draws.length + 1);
}
