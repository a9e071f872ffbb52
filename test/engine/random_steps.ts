/**
 * The operations of random graphs.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { gelu, layerNorm } from "@/engine/neural.ts";

/** Applies one operation to tensors so far, chosen with `pick`; null if none is compatible. */
export type Step = (tensors: tf.Tensor[], pick: (count: number) => number) => tf.Tensor | null;

/** Two tensors whose shapes broadcast. */
function pair(
  tensors: tf.Tensor[],
  pick: (count: number) => number,
): [tf.Tensor, tf.Tensor] | null {
  const a = tensors[pick(tensors.length)] as tf.Tensor;
  const fits = tensors.filter((b) => {
    try {
      tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
      return true;
    } catch {
      return false;
    }
  });
  const b = fits[pick(fits.length)];
  return b === undefined ? null : [a, b];
}

const binary = (run: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor): Step => (tensors, pick) => {
  const operands = pair(tensors, pick);
  return operands && run(...operands);
};
const unary = (run: (x: tf.Tensor) => tf.Tensor): Step => (tensors, pick) =>
  run(tensors[pick(tensors.length)] as tf.Tensor);

/** A function of tensors with at least `rank` axes; others are returned unchanged. */
const ranked = (rank: number, run: (x: tf.Tensor) => tf.Tensor): Step =>
  unary((x) => x.rank < rank ? x : run(x));

const rowCount = (x: tf.Tensor) => x.shape[0] as number;
const lastSize = (x: tf.Tensor) => x.shape.at(-1) as number;
const columnCount = (x: tf.Tensor) => x.shape[1] as number;

/** Converts booleans or integers to floats between 0 and 1, so that graphs can continue. */
const asNumbers = (x: tf.Tensor) => tf.mul(tf.cast(x, "float32"), 0.25);

/** Integers from −5 to 5. */
const integers = (x: tf.Tensor) => tf.cast(tf.round(tf.mul(tf.sin(x), 5)), "int32");

const cumulative = { exclusive: [false, true], reverse: [false, true] } as const;

/** Differentiable operations that keep values moderate, so that results of graphs stay comparable. */
export const SMOOTH: Record<string, Step> = {
  add: binary((a, b) => tf.add(a, b)),
  sub: binary((a, b) => tf.sub(a, b)),
  mul: binary((a, b) => tf.mul(tf.tanh(a), b)),
  div: binary((a, b) => tf.div(a, tf.add(tf.square(tf.tanh(b)), 1))),
  exp: unary((x) => tf.exp(tf.tanh(x))),
  erf: unary((x) => tf.erf(x)),
  sqrt: unary((x) => tf.sqrt(tf.add(tf.abs(x), 0.1))),
  scale: unary((x) => tf.mul(x, 0.5)),
  expm1: unary((x) => tf.expm1(tf.tanh(x))),
  log1p: unary((x) => tf.log1p(tf.abs(x))),
  sigmoid: unary((x) => tf.sigmoid(x)),
  softplus: unary((x) => tf.softplus(x)),
  elu: unary((x) => tf.elu(x)),
  selu: unary((x) => tf.selu(x)),
  relu: unary((x) => tf.relu(x)),
  relu6: unary((x) => tf.relu6(tf.mul(x, 4))),
  leakyRelu: unary((x) => tf.leakyRelu(x, 0.3)),
  clip: unary((x) => tf.clipByValue(x, -0.4, 0.6)),
  sine: unary((x) => tf.add(tf.sin(x), tf.cos(x))),
  power: unary((x) => tf.pow(tf.add(tf.abs(x), 0.5), 1.5)),
  transpose: unary((x) => tf.transpose(x)),
  reshape: unary((x) => tf.reshape(x, [...x.shape].reverse())),
  flatten: unary((x) => tf.reshape(x, [-1])),
  slice: ranked(1, (x) => rowCount(x) < 2 ? x : tf.slice(x, 1)),
  split: ranked(1, (x) => lastSize(x) % 2 === 0 ? tf.split(x, 2, -1)[1] as tf.Tensor : x),
  stack: unary((x) => tf.stack([x, tf.mul(x, 2)], x.rank)),
  // TensorFlow.js cannot unstack rows without elements.
  unstack: ranked(1, (x) => rowCount(x) < 2 || x.size === 0 ? x : tf.unstack(x)[1] as tf.Tensor),
  reverse: ranked(1, (x) => tf.reverse(x, -1)),
  tile: ranked(1, (x) => x.size > 200 ? x : tf.tile(x, x.shape.map((_, i) => i === 0 ? 2 : 1))),
  pad: ranked(1, (x) => tf.pad(x, x.shape.map((_, i) => i === 0 ? [1, 0] : [0, 0]), 0.25)),
  sumLast: ranked(1, (x) => tf.mul(tf.sum(x, -1, true), 0.3)),
  sumFirst: ranked(1, (x) => tf.mul(tf.sum(x, 0), 0.3)),
  meanAll: unary((x) => x.size === 0 ? x : tf.mean(x)),
  max: ranked(1, (x) => lastSize(x) === 0 ? x : tf.max(x, -1, true)),
  min: ranked(1, (x) => rowCount(x) === 0 ? x : tf.min(x, 0)),
  prod: ranked(1, (x) => tf.prod(tf.tanh(x), x.rank - 1)),
  logSumExp: ranked(1, (x) => lastSize(x) === 0 ? x : tf.logSumExp(x, -1)),
  norm: ranked(1, (x) => tf.norm(tf.add(x, 3), 2, -1)),
  cumsum: ranked(1, (x) => tf.mul(tf.cumsum(x, x.rank - 1), 0.3)),
  softmax: ranked(1, (x) => lastSize(x) === 0 ? x : tf.softmax(x)),
  logSoftmax: ranked(1, (x) => lastSize(x) === 0 ? x : tf.mul(tf.logSoftmax(x), 0.1)),
  product: unary((x) => x.rank !== 2 ? x : tf.mul(tf.matMul(x, x, false, true), 0.2)),
  matmulOfTransposed: unary((x) => x.rank !== 2 ? x : tf.mul(tf.matMul(x, x, true, false), 0.2)),
  matmulPlusRow: unary((x) =>
    x.rank !== 2 ? x : tf.add(tf.matMul(x, tf.ones([columnCount(x), 3])), tf.tensor1d([1, 2, 3]))
  ),
  gather: ranked(
    1,
    (x) => rowCount(x) === 0 ? x : tf.gather(x, tf.tensor1d([0, rowCount(x) - 1, 0], "int32")),
  ),
  scatter: ranked(1, (x) =>
    tf.unsortedSegmentSum(
      x,
      tf.tensor1d(Array.from({ length: rowCount(x) }, (_, i) => i % 2), "int32"),
      3,
    )),
  concat: ranked(1, (x) => tf.concat([x, tf.mul(x, 2)], 0)),
  layerNorm: unary((x) =>
    x.rank !== 2 || columnCount(x) < 2
      ? x
      : layerNorm(x as tf.Tensor2D, tf.ones([columnCount(x)]), tf.zeros([columnCount(x)]), 0.1)
  ),
  gelu: unary((x) => gelu(x)),
};

/** Operations without a gradient, or whose gradient in TensorFlow.js is missing or wrong (sums along a first axis). */
const ROUGH: Record<string, Step> = {
  maximum: binary((a, b) => tf.maximum(a, b)),
  minimum: binary((a, b) => tf.minimum(a, b)),
  // TensorFlow.js returns one element for empty operands if the other operand is a scalar.
  where: binary((a, b) => a.size * b.size === 0 ? a : tf.where(tf.greater(a, b), a, tf.sub(b, 1))),
  compare: binary((a, b) => asNumbers(tf.logicalXor(tf.less(a, b), tf.greaterEqual(a, 0.1)))),
  equal: binary((a, b) => asNumbers(tf.logicalOr(tf.equal(a, b), tf.notEqual(b, 0)))),
  isNaN: unary((x) => asNumbers(tf.logicalNot(tf.isNaN(tf.log(x))))),
  isFinite: unary((x) => asNumbers(tf.logicalAnd(tf.isFinite(x), tf.logicalNot(tf.isInf(x))))),
  floorDiv: binary((a, b) => tf.mul(tf.floorDiv(tf.mul(a, 7), tf.add(tf.abs(b), 1)), 0.1)),
  intDiv: binary((a, b) =>
    asNumbers(tf.floorDiv(tf.cast(tf.mul(a, 9), "int32"), tf.cast(tf.add(tf.round(b), 3), "int32")))
  ),
  intMod: binary((a, b) =>
    asNumbers(tf.mod(tf.cast(tf.mul(a, 9), "int32"), tf.cast(tf.add(tf.round(b), 3), "int32")))
  ),
  rounding: unary((x) => asNumbers(tf.addN([tf.floor(x), tf.ceil(x), tf.round(tf.mul(x, 3))]))),
  sign: unary((x) => tf.mul(tf.sign(x), 0.5)),
  step: unary((x) => tf.step(x, 0.2)),
  any: ranked(1, (x) => asNumbers(tf.any(tf.greater(x, 0.5), -1))),
  // TensorFlow.js returns false for all() of no elements.
  all: ranked(1, (x) => x.size === 0 ? x : asNumbers(tf.all(tf.less(x, 0.5), 0))),
  argMax: ranked(1, (x) => lastSize(x) === 0 ? x : asNumbers(tf.argMax(x, -1))),
  argMin: ranked(1, (x) => rowCount(x) === 0 ? x : asNumbers(tf.argMin(x, 0))),
  topValues: ranked(1, (x) => lastSize(x) < 2 ? x : tf.topk(x, 2).values),
  topIndices: ranked(1, (x) => lastSize(x) === 0 ? x : asNumbers(tf.topk(x, lastSize(x)).indices)),
  oneHot: unary((x) =>
    tf.oneHot(tf.cast(tf.clipByValue(tf.mul(x, 4), 0, 9), "int32"), 5, 0.5, 0.1, "float32")
  ),
  gatherNd: ranked(
    1,
    (x) =>
      x.size === 0 ? x : tf.gatherND(x, tf.tensor2d([[0], [rowCount(x) - 1]], [2, 1], "int32")),
  ),
  scatterNd: ranked(1, (x) =>
    tf.scatterND(
      tf.tensor2d(Array.from({ length: rowCount(x) }, (_, i) => i % 3), [rowCount(x), 1], "int32"),
      x,
      [4, ...x.shape.slice(1)],
    )),
  segmentsOutside: ranked(1, (x) =>
    tf.unsortedSegmentSum(
      x,
      tf.tensor1d(Array.from({ length: rowCount(x) }, (_, i) => i - 1), "int32"),
      2,
    )),
  cumsumBack: ranked(1, (x) => tf.mul(tf.cumsum(x, 0, true, true), 0.3)),
  stridedSlice: ranked(1, (x) => rowCount(x) < 2 ? x : tf.stridedSlice(x, [0], [rowCount(x)], [2])),
  einsum: unary((x) => x.rank !== 3 ? x : tf.mul(tf.einsum("bij,bkj->ibk", x, tf.tanh(x)), 0.2)),
  squaredDifference: binary((a, b) => tf.squaredDifference(tf.tanh(a), tf.tanh(b))),
  cumprod: ranked(1, (x) => tf.cumprod(tf.tanh(x), x.rank - 1)),
};
for (const exclusive of cumulative.exclusive) {
  for (const reverse of cumulative.reverse) {
    ROUGH[`cumprod ${exclusive} ${reverse}`] = ranked(
      1,
      (x) => tf.cumprod(tf.tanh(x), 0, exclusive, reverse),
    );
  }
}

/** Operations on integers; operand and result are converted from and to floats. */
const INTEGER: Record<string, Step> = {
  integer: unary((x) => asNumbers(tf.cast(tf.mul(x, 3), "int32"))),
  integerArithmetic: unary((x) => {
    const n = integers(x), m = tf.sub(tf.mul(n, n), tf.abs(n));
    return asNumbers(tf.maximum(tf.minimum(m, tf.neg(n)), tf.sub(n, tf.sign(m))));
  }),
  integerSpread: ranked(1, (x) => {
    if (rowCount(x) === 0) return x;
    const n = integers(x);
    return asNumbers(tf.add(tf.sum(n, 0), tf.sub(tf.max(n, 0), tf.min(n, 0))));
  }),
  integerProd: ranked(1, (x) => asNumbers(tf.prod(tf.sign(integers(x)), 0))),
  integerArgMax: ranked(1, (x) => rowCount(x) === 0 ? x : asNumbers(tf.argMax(integers(x), 0))),
  integerArgMin: ranked(1, (x) => lastSize(x) === 0 ? x : asNumbers(tf.argMin(integers(x), -1))),
  integerChoice: unary((x) => {
    const n = integers(x);
    return asNumbers(tf.where(tf.greater(n, tf.scalar(2, "int32")), n, tf.neg(n)));
  }),
  integerMatmul: unary((x) => {
    if (x.rank !== 2) return x;
    const n = integers(x);
    return asNumbers(tf.matMul(n, tf.matMul(n, n, true, false), false, true));
  }),
  integerTop: ranked(1, (x) => {
    const count = lastSize(x);
    return count === 0 ? x : asNumbers(tf.topk(integers(x), count).indices);
  }),
  integerCumsum: ranked(1, (x) => asNumbers(tf.cumsum(integers(x), 0))),
  integerScatter: ranked(1, (x) => {
    const rows = tf.tensor1d(Array.from({ length: rowCount(x) }, (_, i) => i % 2), "int32");
    return asNumbers(tf.unsortedSegmentSum(integers(x), rows, 2));
  }),
};

/** Operations that read their operand in another order than in memory, or along axes that are not adjacent. */
const NONCONTIGUOUS: Record<string, Step> = {
  gatherOfTransposed: ranked(
    2,
    (x) =>
      x.size === 0 ? x : tf.gather(tf.transpose(x), tf.tensor1d([lastSize(x) - 1, 0], "int32")),
  ),
  gatherByComputed: ranked(1, (x) => {
    if (x.size === 0 || x.rank > 2) return x;
    const row = tf.mul(tf.sigmoid(tf.mean(x)), rowCount(x) - 1);
    return tf.gather(x, tf.cast(tf.round(row), "int32"));
  }),
  anyApart: unary((x) =>
    x.rank !== 3 || x.size === 0 ? x : asNumbers(tf.any(tf.greater(x, 0.5), [0, 2]))
  ),
  sumApart: unary((x) => x.rank !== 3 ? x : tf.mul(tf.sum(x, [0, 2]), 0.3)),
  matmulBothTransposed: unary((x) =>
    x.rank !== 2 ? x : tf.mul(tf.matMul(x, tf.transpose(x), true, true), 0.2)
  ),
  matmulOfReversed: unary((x) =>
    x.rank !== 2 ? x : tf.mul(tf.matMul(tf.reverse(x, 1), x, false, true), 0.2)
  ),
};

/** All operations. */
export const STEPS: Readonly<Record<string, Step>> = {
  ...SMOOTH,
  ...ROUGH,
  ...INTEGER,
  ...NONCONTIGUOUS,
};
