/**
 * Multinomial logistic regression with L2 penalty, fitted by L-BFGS: the linear classifier of the baselines.
 * Shapes: N rows, F features, C classes.
 * @module
 */

/** Sparse rows (compressed sparse row format). */
export type SparseRows = {
  /** Number of columns F. */
  readonly features: number;
  /** [N + 1] start of each row in `indices` and `values`. */
  readonly starts: Uint32Array;
  /** Column of each stored value. */
  readonly indices: Uint32Array;
  readonly values: Float32Array | Float64Array;
};

/** A fitted classifier. */
type LogisticModel = {
  readonly classes: number;
  /** [F, C] weights. */
  readonly weights: Float64Array;
  /** [C] intercepts, which are not penalized. */
  readonly bias: Float64Array;
};

/** Options of {@link fitLogisticRegression}, named as in scikit-learn. */
type FitOptions = {
  /** Inverse of the penalty's strength; default: 1. */
  readonly c?: number;
  /** Stops when no gradient is larger; default: 1e-4. */
  readonly tolerance?: number;
  /** Maximum number of L-BFGS iterations; default: 100. */
  readonly maxIterations?: number;
};

/** Number of corrections that L-BFGS keeps. */
const MEMORY = 10;
/** Fraction of the expected decrease that a step must reach (Armijo condition). */
const SUFFICIENT = 1e-4;

/**
 * Minimizes `c · Σ loss + ½ |weights|²`, scikit-learn's objective of `LogisticRegression`. The gradient is that of the mean
 * over rows, so that the tolerance does not depend on N.
 *
 * Method: Nocedal and Wright, Numerical Optimization (2006), algorithms 3.1 and 7.4.
 */
export function fitLogisticRegression(
  rows: SparseRows,
  labels: ArrayLike<number>,
  classes: number,
  { c = 1, tolerance = 1e-4, maxIterations = 100 }: FitOptions = {},
): LogisticModel {
  const { features } = rows;
  const count = labels.length;
  const size = (features + 1) * classes; // the intercepts are the last row
  const penalty = 1 / (c * count);
  let point: Float64Array = new Float64Array(size);
  let gradient: Float64Array = new Float64Array(size);
  let value = evaluate(rows, labels, { classes, penalty, point, gradient });
  const steps: Float64Array[] = [], changes: Float64Array[] = [], curvatures: number[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (gradient.every((each) => Math.abs(each) <= tolerance)) break;
    const direction = findDirection(gradient, { steps, changes, curvatures });
    let slope = dot(gradient, direction);
    if (slope >= 0) { // rounding has spoiled the curvatures: begin again with the gradient
      steps.length = changes.length = curvatures.length = 0;
      direction.forEach((_, i) => direction[i] = -(gradient[i] ?? 0));
      slope = dot(gradient, direction);
    }
    let rate = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    const next = new Float64Array(size), nextGradient = new Float64Array(size);
    let nextValue = Infinity;
    for (let tries = 0; tries < 40; tries++, rate /= 2) {
      for (let i = 0; i < size; i++) next[i] = (point[i] ?? 0) + rate * (direction[i] ?? 0);
      nextValue = evaluate(rows, labels, { classes, penalty, point: next, gradient: nextGradient });
      if (nextValue <= value + SUFFICIENT * rate * slope) break;
    }
    if (!(nextValue < value)) break; // no further decrease within rounding
    const step = next.map((each, i) => each - (point[i] ?? 0));
    const change = nextGradient.map((each, i) => each - (gradient[i] ?? 0));
    const curvature = dot(step, change);
    if (curvature > 1e-12 * dot(change, change)) {
      steps.push(step);
      changes.push(change);
      curvatures.push(curvature);
      if (steps.length > MEMORY) [steps, changes, curvatures].forEach((list) => list.shift());
    }
    [point, gradient, value] = [next, nextGradient, nextValue];
  }
  return {
    classes,
    weights: point.subarray(0, features * classes),
    bias: point.subarray(features * classes),
  };
}

/** Index of the most probable class of each row. */
export function predictClasses(model: LogisticModel, rows: SparseRows): number[] {
  const { classes } = model;
  const scores = new Float64Array(classes);
  return Array.from({ length: rows.starts.length - 1 }, (_, row) => {
    scoreRow(rows, row, { ...model, scores });
    return scores.indexOf(Math.max(...scores));
  });
}

/** Writes the scores of a row's classes into `scores`. */
function scoreRow(
  { starts, indices, values }: SparseRows,
  row: number,
  { classes, weights, bias, scores }: LogisticModel & { readonly scores: Float64Array },
): void {
  scores.set(bias);
  for (let at = starts[row] ?? 0; at < (starts[row + 1] ?? 0); at++) {
    const base = (indices[at] ?? 0) * classes, value = values[at] ?? 0;
    for (let k = 0; k < classes; k++) {
      scores[k] = (scores[k] ?? 0) + value * (weights[base + k] ?? 0);
    }
  }
}

/** The objective per row at `point`; writes its gradient. */
function evaluate(
  rows: SparseRows,
  labels: ArrayLike<number>,
  { classes, penalty, point, gradient }: {
    readonly classes: number;
    readonly penalty: number;
    readonly point: Float64Array;
    readonly gradient: Float64Array;
  },
): number {
  const { features, starts, indices, values } = rows;
  const split = features * classes;
  const model = { classes, weights: point.subarray(0, split), bias: point.subarray(split) };
  const count = labels.length;
  const scores = new Float64Array(classes);
  gradient.fill(0);
  let loss = 0;
  for (let row = 0; row < count; row++) {
    scoreRow(rows, row, { ...model, scores });
    const label = labels[row] ?? 0;
    let top = -Infinity, sum = 0;
    for (let k = 0; k < classes; k++) top = Math.max(top, scores[k] ?? 0);
    const gold = scores[label] ?? 0;
    for (let k = 0; k < classes; k++) sum += scores[k] = Math.exp((scores[k] ?? 0) - top);
    loss += Math.log(sum) + top - gold;
    for (let k = 0; k < classes; k++) {
      const error = ((scores[k] ?? 0) / sum - (k === label ? 1 : 0)) / count;
      scores[k] = error;
      gradient[split + k] = (gradient[split + k] ?? 0) + error;
    }
    for (let at = starts[row] ?? 0; at < (starts[row + 1] ?? 0); at++) {
      const base = (indices[at] ?? 0) * classes, value = values[at] ?? 0;
      for (let k = 0; k < classes; k++) {
        gradient[base + k] = (gradient[base + k] ?? 0) + value * (scores[k] ?? 0);
      }
    }
  }
  let squares = 0;
  for (let i = 0; i < split; i++) {
    const weight = point[i] ?? 0;
    squares += weight * weight;
    gradient[i] = (gradient[i] ?? 0) + penalty * weight;
  }
  return loss / count + penalty * squares / 2;
}

/** The L-BFGS direction: minus the approximate inverse Hessian times the gradient. */
function findDirection(
  gradient: Float64Array,
  { steps, changes, curvatures }: {
    readonly steps: readonly Float64Array[];
    readonly changes: readonly Float64Array[];
    readonly curvatures: readonly number[];
  },
): Float64Array {
  const direction = gradient.map((each) => -each);
  const factors: number[] = [];
  for (let i = steps.length - 1; i >= 0; i--) {
    const factor = dot(steps[i], direction) / (curvatures[i] ?? 1);
    factors[i] = factor;
    addScaled(direction, changes[i], -factor);
  }
  const last = changes.at(-1);
  if (last !== undefined) {
    const scale = (curvatures.at(-1) ?? 1) / dot(last, last);
    direction.forEach((each, i) => direction[i] = scale * each);
  }
  for (let i = 0; i < steps.length; i++) {
    const factor = dot(changes[i], direction) / (curvatures[i] ?? 1);
    addScaled(direction, steps[i], (factors[i] ?? 0) - factor);
  }
  return direction;
}

function dot(a: Float64Array | undefined, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += (a?.[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Adds `scale * source` to `target` in place. */
function addScaled(target: Float64Array, source: Float64Array | undefined, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) + scale * (source?.[i] ?? 0);
}
