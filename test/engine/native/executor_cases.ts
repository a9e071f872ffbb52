/** Functions that together use everything that the native executor compiles. */
import * as tf from "@tensorflow/tfjs";
import type { TensorMap } from "@/engine/jit.ts";
import { gelu, layerNorm } from "@/engine/neural.ts";

/** Pseudorandom numbers, the same on every machine. */
const noise = (size: number, k = 0) =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * k) * 1.5);
export const tensor = (shape: number[], k = 0) =>
  tf.tensor(noise(shape.reduce((a, b) => a * b, 1), k), shape);

/** A function and its inputs, which are created for each run. */
export type Case = {
  inputs: () => TensorMap;
  run: (inputs: Record<string, tf.Tensor>) => TensorMap;
};
/** Cases by description. */
export const CASES: Record<string, Case> = {};
for (const [rows, columns] of [[1, 1], [5, 3], [7, 17], [64, 33], [33, 64]] as const) {
  CASES[`rows of ${columns}, ${rows} of them: softmax, layer norm, GELU and their gradients`] = {
    inputs: () => ({
      x: tensor([rows, columns]),
      g: tensor([columns], 1),
      b: tensor([columns], 2),
    }),
    run: ({ x, g, b }) => {
      const loss = (x: tf.Tensor, g: tf.Tensor, b: tf.Tensor) => {
        const y = layerNorm(x as tf.Tensor2D, g as tf.Tensor1D, b as tf.Tensor1D, 1e-2);
        return tf.sum(tf.mul(tf.softmax(gelu(y)), tf.logSoftmax(y))) as tf.Scalar;
      };
      const { value, grads } = tf.valueAndGrads(loss)([x!, g!, b!]);
      return { value, dx: grads[0]!, dg: grads[1]!, db: grads[2]! };
    },
  };
}
for (const [a, b] of [[false, false], [false, true], [true, false], [true, true]] as const) {
  CASES[`products with transposes ${a}, ${b}: plain, with bias, summed, batched`] = {
    inputs: () => ({
      x: tensor(a ? [19, 37] : [37, 19]),
      y: tensor(b ? [21, 19] : [19, 21], 1),
      bias: tensor([21], 2),
      u: tensor(a ? [3, 2, 8, 9] : [3, 2, 9, 8], 3),
      v: tensor(b ? [3, 2, 7, 8] : [3, 2, 8, 7], 4),
    }),
    run: ({ x, y, bias, u, v }) => {
      const matmul = tf.matMul(x!, y!, a, b);
      return {
        biased: tf.maximum(tf.add(matmul, bias!), 0),
        summed: tf.add(matmul, tf.matMul(tf.mul(x!, 2), y!, a, b)),
        batched: tf.matMul(u!, v!, a, b),
        permuted: tf.mul(
          tf.reshape(tf.transpose(tf.matMul(u!, v!, a, b), [0, 2, 1, 3]), [27, 14]),
          3,
        ),
      };
    },
  };
}
// Sizes that are split by rows, in chunks, by columns, by items, and not at all.
for (const [rows, inner, columns] of [[300, 40, 24], [150, 800, 33], [20, 40, 300], [3, 4, 5]]) {
  const what = `${rows} × ${inner} by ${inner} × ${columns}`;
  CASES[`products of ${what} with what follows: GELU, layer norm, gradients`] = {
    inputs: () => ({
      x: tensor([rows!, inner!]),
      w: tensor([inner!, columns!], 1),
      b: tensor([columns!], 2),
      g: tensor([columns!], 3),
      r: tensor([rows!, columns!], 4),
    }),
    run: (inputs) => {
      const project = (x: tf.Tensor, w: tf.Tensor) => tf.div(tf.matMul(x, w), Math.sqrt(inner!));
      const loss = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor, g: tf.Tensor, r: tf.Tensor) => {
        const hidden = gelu(tf.add(project(x, w), b));
        const sum = tf.add(project(x, tf.mul(w, 2)), r) as tf.Tensor2D;
        const normal = layerNorm(sum, g as tf.Tensor1D, b as tf.Tensor1D, 1e-2);
        return tf.mean(tf.mul(tf.softmax(normal), hidden)) as tf.Scalar;
      };
      const operands = [inputs.x!, inputs.w!, inputs.b!, inputs.g!, inputs.r!];
      const { value, grads } = tf.valueAndGrads(loss)(operands);
      const [dx, dw, db, dg, dr] = grads.map((grad) => tf.mul(grad, rows! * columns!));
      return { value, dx: dx!, dw: dw!, db: db!, dg: dg!, dr: dr! };
    },
  };
}
CASES["a sum with a matrix product whose other operand is also read through a view"] = {
  inputs: () => ({ x: tensor([2, 2, 4]), w: tensor([4, 4], 1) }),
  run: ({ x, w }) => {
    const seen = tf.reshape(tf.tanh(x!), [4, 4]);
    return { sum: tf.add(tf.matMul(w!, w!), seen), later: tf.matMul(seen, seen, true, false) };
  },
};
CASES["batched matrix products with epilogues: softmax, column and row sums"] = {
  inputs: () => ({ q: tensor([5, 3, 24, 16]), k: tensor([5, 3, 24, 16], 1) }),
  run: ({ q, k }) => {
    const scores = tf.matMul(q!, k!, false, true);
    const rows = tf.reshape(tf.matMul(k!, q!, false, true), [360, 24]);
    return {
      shares: tf.softmax(scores),
      most: tf.max(tf.mul(rows, 2), 1),
      sums: tf.sum(tf.square(rows), 0),
    };
  },
};
CASES["reductions over leading, inner, last and all axes"] = {
  inputs: () => ({ x: tensor([6, 70, 20]) }),
  run: ({ x }) => ({
    leading: tf.sum(tf.mul(x!, 2), 0),
    twoLeading: tf.sum(tf.mul(x!, 2), [0, 1]),
    inner: tf.sum(tf.mul(x!, 2), 1),
    innerMax: tf.max(x!, 1),
    last: tf.max(tf.abs(x!), -1),
    all: tf.sum(tf.square(x!)), // 8,400 elements: reduced by columns first
    mean: tf.mean(x!),
    least: tf.min(x!, 2),
    where: tf.argMax(x!, 2),
  }),
};
CASES["gathers and their gradients"] = {
  inputs: () => ({
    table: tensor([50, 12]),
    rows: tf.tensor1d([3, 49, 0, 3, 3, 17], "int32"),
    weights: tensor([6, 12], 1),
  }),
  run: ({ table, rows, weights }) => {
    const loss = (t: tf.Tensor) =>
      tf.sum(tf.mul(tf.gather(t, rows as tf.Tensor1D), weights!)) as tf.Scalar;
    return {
      found: tf.mul(tf.gather(table!, rows as tf.Tensor1D), 1.5),
      gradient: tf.grad(loss)(table!),
    };
  },
};
CASES["selections, comparisons, booleans and integers"] = {
  inputs: () => ({
    x: tensor([9, 21]),
    y: tensor([9, 21], 1),
    labels: tf.tensor1d([0, 3, -1, 2], "int32"),
  }),
  run: ({ x, y, labels }) => ({
    chosen: tf.where(tf.greater(x!, y!), x!, tf.mul(y!, -1)),
    truth: tf.logicalAnd(tf.less(x!, 0), tf.lessEqual(y!, 0.5)),
    not: tf.logicalNot(tf.greaterEqual(x!, 0)),
    whole: tf.cast(tf.mul(x!, 10), "int32"),
    hot: tf.oneHot(labels as tf.Tensor1D, 4),
    sign: tf.sign(x!),
    padded: tf.pad(x as tf.Tensor2D, [[1, 2], [0, 3]], 0.5),
    joined: tf.concat([x!, tf.mul(y!, 2)], 1),
    sliced: tf.mul(tf.slice(x!, [2, 3], [5, 7]), 2),
    tiled: tf.add(tf.tile(y!, [2, 1]), 1),
  }),
};
CASES["constants as operands in memory: factors, indices, rows, paddings"] = {
  inputs: () => ({ x: tensor([5, 1]), y: tensor([4, 3], 1) }),
  run: ({ x, y }) => ({
    matmul: tf.add(tf.matMul(x as tf.Tensor2D, tf.ones([1, 3])), tf.tensor1d([1, 2, 3])),
    found: tf.mul(tf.gather(y!, tf.tensor1d([2, 2], "int32")), 2),
    counted: tf.unsortedSegmentSum(tf.ones([4, 3]), tf.tensor1d([1, 0, 1, 1], "int32"), 2),
    fromComputed: tf.gather(tf.mul(y!, 3), tf.tensor1d([3, 0, 1, 2], "int32")),
    added: tf.unsortedSegmentSum(y as tf.Tensor2D, tf.tensor1d([1, 1, 1, 1], "int32"), 3),
    joined: tf.concat([tf.zeros([2, 3]), y as tf.Tensor2D], 0),
  }),
};
CASES["a sum of three terms, two of which are matrix products with one row"] = {
  inputs: () => ({ x: tensor([1, 4]), y: tensor([4, 3], 1), z: tensor([3, 3], 2) }),
  run: ({ x, y, z }) => {
    const one = tf.matMul(x!, y!), other = tf.matMul(tf.slice(x!, [0, 0], [1, 3]), z!);
    return { sum: tf.add(tf.add(one, other), tf.tanh(tf.slice(z!, [1, 0], [1, 3]))) };
  },
};
CASES["nonfinite numbers"] = {
  inputs: () => ({ x: tf.tensor1d([NaN, Infinity, -Infinity, 0, -0, 1e-40, 3e38, -200, 100]) }),
  run: ({ x }) => ({
    exp: tf.exp(x!),
    erf: tf.erf(x!),
    tanh: tf.tanh(x!),
    max: tf.maximum(x!, 1),
    abs: tf.abs(x!),
    sum: tf.add(x!, 1),
  }),
};
CASES["integers: arithmetic, reductions, top-k, gathers"] = {
  inputs: () => ({
    n: tf.cast(tf.mul(tensor([6, 40]), 30_000_000), "int32"),
    m: tf.cast(tf.mul(tensor([6, 40], 1), 40), "int32"),
    at: tf.tensor1d([5, 0, 2, 2], "int32"),
  }),
  run: ({ n, m, at }) => ({
    sum: tf.sub(tf.add(n!, m!), tf.mul(m!, m!)),
    quotient: tf.floorDiv(n!, m!),
    extremes: tf.maximum(tf.minimum(n!, m!), tf.neg(tf.abs(m!))),
    compared: tf.logicalAnd(tf.less(n!, m!), tf.notEqual(m!, tf.scalar(3, "int32"))),
    chosen: tf.where(tf.greater(m!, tf.scalar(0, "int32")), n!, m!),
    real: tf.mul(tf.cast(n!, "float32"), 0.5),
    truth: tf.cast(m!, "bool"),
    rows: tf.sum(m!, 1),
    columns: tf.sum(n!, 0),
    most: tf.max(n!, 0),
    least: tf.min(n!, 1),
    matmul: tf.prod(tf.sign(tf.add(m!, tf.scalar(100, "int32"))), 0),
    place: tf.argMax(n!, 0),
    lowest: tf.argMin(n!, 1),
    found: tf.gather(n!, at as tf.Tensor1D),
    counted: tf.unsortedSegmentSum(tf.slice(n!, [0, 0], [4, 40]), at as tf.Tensor1D, 6),
    cumulative: tf.cumsum(m!, 1),
  }),
};
CASES["integer matrix products: transposed, batched, broadcast, of views, with a bias"] = {
  inputs: () => ({
    n: tf.cast(tf.mul(tensor([7, 19]), 900), "int32"),
    m: tf.cast(tf.mul(tensor([19, 5], 1), 900), "int32"),
    b: tf.cast(tf.mul(tensor([5], 2), 900), "int32"),
    u: tf.cast(tf.mul(tensor([3, 2, 9, 8], 3), 900), "int32"),
    v: tf.cast(tf.mul(tensor([2, 7, 8], 4), 900), "int32"),
  }),
  run: ({ n, m, b, u, v }) => {
    const square = tf.matMul(n!, n!, true);
    return {
      plain: tf.matMul(n!, m!),
      biased: tf.maximum(tf.add(tf.matMul(n!, m!), b!), tf.scalar(0, "int32")),
      both: tf.matMul(m!, n!, true, true),
      stacks: tf.matMul(u!, v!, false, true),
      permuted: tf.add(
        tf.reshape(tf.transpose(tf.matMul(u!, v!, false, true), [0, 2, 1, 3]), [27, 14]),
        tf.scalar(1, "int32"),
      ),
      views: tf.matMul(tf.slice(n!, [1, 2], [5, 9]), tf.reverse(tf.slice(m!, [3, 0], [9, 5]), 1)),
      ofRow: tf.matMul(tf.tile(tf.reshape(b!, [1, 5]), [4, 1]), m!, false, true),
      twice: tf.matMul(square, square),
      real: tf.mul(tf.cast(tf.matMul(n!, m!), "float32"), 0.5),
      counts: tf.matMul(tf.ones([2, 7], "int32"), n!),
      tables: tf.einsum("ij,jk->ki", n!, m!),
    };
  },
};
CASES["top-k: of rows, of integers, of views, of all elements"] = {
  inputs: () => ({
    x: tensor([6, 5, 40]),
    n: tf.cast(tf.mul(tensor([30, 6], 1), 4), "int32"),
    s: tf.tensor1d([2, NaN, Infinity, 2, -Infinity, -1]),
  }),
  run: ({ x, n, s }) => {
    const few = tf.topk(x!, 3), turned = tf.topk(tf.transpose(n!), 30);
    const computed = tf.topk(tf.mul(tf.slice(x!, [0, 0, 4], [6, 5, 20]), -1), 1);
    const special = tf.topk(s!, 6);
    return {
      ...{ values: few.values, indices: few.indices, most: computed.values },
      ...{ order: turned.indices, sorted: turned.values, place: computed.indices },
      ...{ special: special.values, specialPlaces: special.indices },
      ones: tf.topk(tf.ones([2, 3]), 2).indices,
    };
  },
};
CASES["arrays without elements"] = {
  inputs: () => ({ x: tensor([0, 3]), n: tf.zeros([2, 0], "int32"), y: tensor([2, 3], 1) }),
  run: ({ x, n, y }) => ({
    same: x!,
    also: n!,
    joined: tf.mul(tf.concat([x!, y!]), 2),
    sum: tf.sum(x!, 0),
    matmul: tf.matMul(n!, n!, false, true),
  }),
};
CASES["booleans: any, all, and, or along all axes"] = {
  inputs: () => ({ x: tensor([4, 5, 6]) }),
  run: ({ x }) => ({
    any: tf.any(tf.greater(x!, 1.4), 0),
    all: tf.all(tf.less(x!, 1.4), [0, 2]),
    some: tf.any(tf.less(x!, -1.4)),
    both: tf.logicalXor(tf.less(x!, 0), tf.greater(x!, 1)),
  }),
};
CASES[
  "non-contiguous views that are materialized: transposed operands, axes that are not adjacent, rows of slices"
] = {
  inputs: () => ({
    x: tensor([6, 4, 5]),
    y: tensor([5, 4, 6], 1),
    five: tensor([2, 1, 3, 4, 5], 2),
    square: tensor([4, 4], 3),
  }),
  run: ({ x, y, five, square }) => ({
    added: tf.add(tf.transpose(x!), y!),
    apart: tf.sum(tf.mul(x!, 2), [0, 2]),
    greatest: tf.max(x!, [0, 2]),
    matmul: tf.prod(x!, [0, 2]),
    rows: tf.gather(tf.transpose(y!), tf.tensor1d([3, 0], "int32")),
    elements: tf.gather(tf.reshape(x!, [-1]), tf.tensor1d([7, 119], "int32")),
    joined: tf.concat([tf.reverse(x!, 0), x!], 1),
    padded: tf.pad(tf.transpose(x!) as tf.Tensor3D, [[1, 0], [0, 1], [2, 2]], 3),
    many: tf.matMul(five!, five!, false, true),
    turned: tf.matMul(tf.reverse(square!, 1), tf.transpose(square!), true, true),
    diagonal: tf.mul(tf.slice(tf.reshape(tf.tile(square!, [1, 2]), [-1]), 3, 9), 2),
  }),
};
