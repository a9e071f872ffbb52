/**
 * 95 % confidence intervals by the bootstrap's percentile method (Efron & Tibshirani 1993, chapter 13):
 * the middle 95 % of the score over resamples of the rows, drawn with replacement.
 * @module
 */

/** Bounds of a 95 % interval, as fractions. */
export type Interval = readonly [low: number, high: number];

/** Quantiles at the two bounds. */
const TAILS = [0.025, 0.975] as const;

/**
 * The middle 95 % of `values`, with linear interpolation between neighbors as in numpy's `quantile`.
 * Does not change `values`.
 */
export function middleInterval(values: ArrayLike<number>): Interval {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) {
    throw new RangeError(
      "Cannot take an interval as values must not be empty: current length is 0",
    );
  }
  const at = (share: number) => {
    const position = share * (sorted.length - 1), below = Math.floor(position);
    const low = sorted[below] ?? NaN, high = sorted[Math.ceil(position)] ?? NaN;
    return low + (high - low) * (position - below);
  };
  return [at(TAILS[0]), at(TAILS[1])];
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
  const quantile = (share: number) => {
    let below = 0;
    for (let k = 0; k <= rows; k++) {
      below += weights[k] ?? 0;
      if (below >= share * total) return k / rows;
    }
    return 1;
  };
  return [quantile(TAILS[0]), quantile(TAILS[1])];
}
