/**
 * Temperature scaling (Guo et al. 2017, arXiv:1706.04599v2, section 4.2): one number T for all rows, fitted
 * on validation, that makes probabilities softer (T > 1) or sharper (T < 1) and changes no prediction.
 *
 * It divides logits by T; as softmax forgets a constant, logarithms of probabilities serve as logits.
 * Shapes: N rows, C classes.
 * @module
 */

/** Rows to fit on. */
export type TemperatureInput = {
  /** [N] class numbers. */
  readonly gold: ArrayLike<number>;
  /** [N, C] row-major, each row summing to 1. */
  readonly probabilities: ArrayLike<number>;
  readonly classes: number;
};

/** A probability that float32 rounded to 0 counts as its smallest number. */
const SMALLEST = 2 ** -149;

/** Where the search ends if no temperature is best, as when all rows are right. */
const SOFTEST = 100, SHARPEST = 0.01;

/** The distance of two temperatures that count as one, as a share of them. */
const PRECISION = 1e-10;

/**
 * The T that gives gold classes the highest likelihood, from 0.01 to 100.
 *
 * The mean negative log-likelihood is convex in 1 / T, so its slope has one root, which halving finds.
 */
export function fitTemperature({ gold, probabilities, classes }: TemperatureInput): number {
  const rows = gold.length;
  if (rows === 0 || probabilities.length !== rows * classes) {
    throw new RangeError(
      `Cannot fit temperature as probabilities must have N x ${classes} entries for N rows, at least 1: ` +
        `current length is ${probabilities.length} for ${rows} rows`,
    );
  }
  const logits = Float64Array.from(probabilities, (p) => Math.log(Math.max(p, SMALLEST))); // [N, C]
  /** d (negative log-likelihood) / d (1 / T), over rows: expected logit − gold logit. */
  const slope = (sharpness: number) => {
    let total = 0;
    for (let row = 0; row < rows; row++) {
      const own = logits.subarray(row * classes, (row + 1) * classes);
      const highest = own.reduce((a, b) => Math.max(a, b), -Infinity);
      let weights = 0, weighted = 0;
      for (const logit of own) {
        const weight = Math.exp(sharpness * (logit - highest));
        weights += weight;
        weighted += weight * logit;
      }
      total += weighted / weights - (own[gold[row] ?? -1] ?? NaN);
    }
    return total;
  };
  let low = 1 / SOFTEST, high = 1 / SHARPEST;
  if (slope(low) >= 0) return SOFTEST; // softer would be better still
  if (slope(high) <= 0) return SHARPEST;
  while (high / low > 1 + PRECISION) {
    const middle = Math.sqrt(low * high);
    if (slope(middle) > 0) high = middle;
    else low = middle;
  }
  return 1 / Math.sqrt(low * high);
}

/** The probabilities [N, C] at a temperature; 1 leaves them as they are. */
export function scaleProbabilities(
  probabilities: ArrayLike<number>,
  { classes, temperature }: { readonly classes: number; readonly temperature: number },
): Float64Array {
  const scaled = new Float64Array(probabilities.length);
  for (let start = 0; start < scaled.length; start += classes) {
    let highest = 0, total = 0;
    for (let c = 0; c < classes; c++) highest = Math.max(highest, probabilities[start + c] ?? 0);
    for (let c = 0; c < classes; c++) {
      const p = Math.max(probabilities[start + c] ?? 0, SMALLEST);
      total += scaled[start + c] = (p / highest) ** (1 / temperature);
    }
    for (let c = 0; c < classes; c++) scaled[start + c] = (scaled[start + c] ?? 0) / total;
  }
  return scaled;
}
