/**
 * Softmax and argmax over rows of C label scores.
 * @module
 */

/** Applies softmax to each row of [N, C] scores, in place. */
export function softmaxRowsInto(scores: Float32Array, classes: number): void {
  for (let start = 0; start < scores.length; start += classes) {
    const row = scores.subarray(start, start + classes);
    const largest = row.reduce((most, score) => Math.max(most, score), -Infinity);
    const weights = Array.from(row, (score) => Math.exp(score - largest));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    row.set(weights.map((weight) => weight / sum));
  }
}

/** Index, relative to `start`, of the largest of `count` values; the first of equal values. */
export function argmaxAt(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) {
    if ((values[start + i] ?? NaN) > (values[start + best] ?? NaN)) best = i;
  }
  return best;
}
