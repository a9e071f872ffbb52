/**
 * Calibration: are predictions with probability p correct in a fraction p of the rows?
 * Expected calibration error as in Guo et al. 2017 (arXiv:1706.04599v2, equation 3), and temperature scaling (section 4.2):
 * one temperature T for all rows, fitted on validation, that softens (T > 1) or sharpens (T < 1) probabilities without
 * changing predictions. Logits are divided by T. Softmax is invariant to an added constant, so log-probabilities serve as
 * logits. Shapes: N rows, C classes, M bins.
 * @module
 */

/** Rows whose highest probability lies in one bin. */
export type CalibrationBin = {
  /** Mean of the highest probability per row. */
  readonly confidence: number;
  /** Fraction of the rows whose most probable class is correct. */
  readonly accuracy: number;
  /** Number of rows in the bin. */
  readonly rows: number;
};

/** Expected calibration error and the bins behind it. */
export type Calibration = {
  /** Mean absolute difference of confidence and accuracy, weighted by the rows of each bin; 0 is perfect. */
  readonly ece: number;
  /** Non-empty bins, in ascending order of confidence. */
  readonly bins: readonly CalibrationBin[];
};

/** Gold classes and predicted probabilities. */
type CalibrationInput = {
  /** [N] class indices. */
  readonly gold: ArrayLike<number>;
  /** [N, C] row-major, each row summing to 1. */
  readonly probabilities: ArrayLike<number>;
  readonly classes: number;
  /** M, the number of equally wide bins (low, high] from 0 to 1; 15 by default, as in the paper. */
  readonly bins?: number;
};

/** Bins rows by the probability of their most probable class; the first class wins a tie. */
export function measureCalibration(input: CalibrationInput): Calibration {
  const { gold, probabilities, classes, bins = 15 } = input;
  const rows = gold.length;
  if (probabilities.length !== rows * classes) {
    throw new RangeError(
      `Cannot measure calibration: probabilities must have ${rows} x ${classes} entries, but has ${probabilities.length}`,
    );
  }
  const sums = Array.from({ length: bins }, () => ({ confidence: 0, hits: 0, rows: 0 }));
  for (let row = 0; row < rows; row++) {
    let best = 0, confidence = -1, total = 0;
    for (let c = 0; c < classes; c++) {
      const p = probabilities[row * classes + c] ?? NaN;
      total += p;
      if (p > confidence) [best, confidence] = [c, p];
    }
    if (!(Math.abs(total - 1) < 1e-3)) {
      throw new RangeError(
        `Cannot measure calibration: the probabilities of row ${row} sum to ${total} instead of 1`,
      );
    }
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))];
    if (!bin) throw new RangeError(`internal: no calibration bin for ${confidence}`);
    bin.confidence += confidence;
    bin.hits += gold[row] === best ? 1 : 0;
    bin.rows++;
  }
  const filled = sums.filter((bin) => bin.rows > 0);
  const gap = filled.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.hits), 0);
  return {
    ece: rows === 0 ? 0 : gap / rows,
    bins: filled.map((bin) => ({
      confidence: bin.confidence / bin.rows,
      accuracy: bin.hits / bin.rows,
      rows: bin.rows,
    })),
  };
}

/** Rows to fit on. */
type TemperatureInput = {
  /** [N] class indices. */
  readonly gold: ArrayLike<number>;
  /** [N, C] row-major, each row summing to 1. */
  readonly probabilities: ArrayLike<number>;
  readonly classes: number;
};

/** Smallest positive float32, used in place of probabilities that float32 rounded to 0. */
const SMALLEST = 2 ** -149;

/** Bounds of the search, returned if the likelihood has no maximum between them (e.g. all rows correct). */
const SOFTEST = 100, SHARPEST = 0.01;

/** Relative difference at which the search stops. */
const PRECISION = 1e-10;

/**
 * Fits T by maximum likelihood of the gold classes, within 0.01 to 100.
 *
 * The mean negative log-likelihood is convex in 1 / T, so bisection finds the only root of its derivative.
 */
export function fitTemperature({ gold, probabilities, classes }: TemperatureInput): number {
  const rows = gold.length;
  if (rows === 0 || probabilities.length !== rows * classes) {
    throw new RangeError(
      `Cannot fit temperature: probabilities must have N x ${classes} entries for N rows, at least 1, ` +
        `but has ${probabilities.length} for ${rows} rows`,
    );
  }
  const logits = Float64Array.from(probabilities, (p) => Math.log(Math.max(p, SMALLEST))); // [N, C]
  /** Derivative of the negative log-likelihood by 1 / T, summed over rows: expected logit − gold logit. */
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
  if (slope(low) >= 0) return SOFTEST; // an even softer T would be better
  if (slope(high) <= 0) return SHARPEST;
  while (high / low > 1 + PRECISION) {
    const middle = Math.sqrt(low * high);
    if (slope(middle) > 0) high = middle;
    else low = middle;
  }
  return 1 / Math.sqrt(low * high);
}

/** Probabilities [N, C] at a temperature; unchanged at 1. */
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
