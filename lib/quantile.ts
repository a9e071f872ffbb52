/**
 * Quantiles of samples (nearest rank) and of Student's t distribution.
 * @module
 */

/** The quantile of a sample by nearest rank: a fraction `share` of the values do not exceed it. NaN if empty. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** Coefficients of the Lanczos approximation with g = 7; the error is below 1e-14. */
const LANCZOS = [
  0.99999999999980993,
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** ln Γ(x) for x ≥ 0.25. */
function logGamma(x: number): number {
  if (x < 1) return logGamma(x + 1) - Math.log(x);
  const sum = LANCZOS.reduce((sum, c, i) => sum + (i === 0 ? c : c / (x - 1 + i)), 0);
  const base = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(sum);
}

/**
 * The regularized incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22) with Lentz's method. It
 * converges for x below (a + 1) / (a + b + 2); other values use the symmetry I_x(a, b) = 1 − I_1−x(b, a).
 */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  if (x <= 0) return 0;
  const log = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
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
  return Math.exp(log) * (fraction - 1) / a;
}

/**
 * Quantile of Student's t distribution: with `freedom` degrees of freedom, t does not exceed it with probability `share`.
 *
 * @example
 * ```ts
 * import { studentQuantile } from "@/quantile.ts";
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
  const above = 1 - share;
  /** Probability that T exceeds t ≥ 0. */
  const tail = (t: number) => incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;
  let low = 0, high = 1;
  while (tail(high) > above) [low, high] = [high, 2 * high];
  for (let middle; (middle = (low + high) / 2) > low && middle < high;) {
    if (tail(middle) > above) low = middle;
    else high = middle;
  }
  return high;
}
