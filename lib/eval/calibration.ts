/**
 * Calibration: are predictions with probability p correct in a fraction p of the rows?
 * Expected calibration error as in Guo et al. 2017 (arXiv:1706.04599v2, equation 3).
 * Shapes: N rows, C classes, M bins.
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
