/**
 * A reference interpreter of graphs in float64, with plain loops and one operation at a time. The float32 results of
 * executors are compared with it.
 * @module
 */
import { computeDropoutMask } from "@/engine/dropout_mask.ts";
import { reachableNodes } from "@/engine/graph.ts";
import type { BinaryOperation, DType, Node, Reduction, UnaryOperation } from "@/engine/ir.ts";
import { rowMajorStrides, sizeOf, viewIndices } from "@/engine/views.ts";

/** Elements of a node of any type, row-major. */
export type Elements = Float64Array;

/** Computes the values of `roots` from those of their leaves. */
export function interpret(
  roots: readonly Node[],
  leaves: ReadonlyMap<Node, ArrayLike<number>>,
): Elements[] {
  const values = new Map<Node, Elements>();
  for (const node of reachableNodes(roots)) {
    const operands = node.inputs.map((input) => values.get(input) as Elements);
    values.set(node, evaluate(node, operands, leaves));
  }
  return roots.map((root) => values.get(root) as Elements);
}

/** An array of `shape` from a function of the index. */
function fill(shape: readonly number[], element: (i: number) => number): Elements {
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) => element(i));
}

function evaluate(
  node: Node,
  operands: readonly Elements[],
  leaves: ReadonlyMap<Node, ArrayLike<number>>,
): Elements {
  const { operation, shape, dtype, inputs } = node;
  const [a = new Float64Array(), b = a, c = a] = operands;
  // Constants may have a single element.
  const at = (x: Elements, i: number) => x[x.length === 1 ? 0 : i] as number;
  const shapeOf = (operand: number) => inputs[operand]?.shape ?? [];
  switch (operation.kind) {
    case "leaf": {
      const given = leaves.get(node);
      if (given === undefined) {
        throw new Error(`Cannot interpret as leaf ${operation.leaf} is not given`);
      }
      return Float64Array.from(given);
    }
    case "constant":
      return fill(shape, () => operation.value);
    case "data":
      return Float64Array.from(operation.data);
    case "view":
      return Float64Array.from(viewIndices(operation.view), (from) => a[from] as number);
    case "unary":
      return fill(shape, (i) => UNARY[operation.name](a[i] as number));
    case "binary": {
      const compute = BINARY[operation.name];
      return fill(shape, (i) => convert(compute(at(a, i), at(b, i)), dtype));
    }
    case "where":
      return fill(shape, (i) => at(a, i) !== 0 ? at(b, i) : at(c, i));
    case "cast":
      return fill(shape, (i) => convert(a[i] as number, dtype));
    case "reduce":
      return reduce(operation.name, a, shapeOf(0), operation.axes);
    case "matmul":
      return multiply(node, a, b);
    case "gather": {
      const width = sizeOf(shapeOf(0).slice(1));
      return fill(
        shape,
        (i) => a[(b[Math.floor(i / width)] as number) * width + i % width] as number,
      );
    }
    case "scatter-add": {
      const result = new Float64Array(sizeOf(shape)), width = sizeOf(shape.slice(1));
      a.forEach((value, i) => {
        const to = (b[Math.floor(i / width)] as number) * width + i % width;
        result[to] = (result[to] as number) + value;
      });
      return result;
    }
    case "pad": {
      const result = new Float64Array(sizeOf(shape)).fill(operation.value);
      const before = operation.paddings.map(([size]) => size);
      placeInto(result, shape, { part: a, partShape: shapeOf(0), start: before });
      return result;
    }
    case "concat": {
      const result = new Float64Array(sizeOf(shape));
      let from = 0;
      operands.forEach((part, i) => {
        const partShape = shapeOf(i), start = shape.map(() => 0).with(operation.axis, from);
        placeInto(result, shape, { part, partShape, start });
        from += partShape[operation.axis] as number;
      });
      return result;
    }
    case "top": {
      const size = shapeOf(0).at(-1) as number, { count } = operation;
      return fill(shape, (i) => {
        const row = a.subarray(Math.floor(i / count) * size).subarray(0, size);
        const order = [...row.keys()].sort((x, y) => (row[y] as number) - (row[x] as number));
        return order[i % count] as number;
      });
    }
    case "dropout-mask":
      return Float64Array.from(
        computeDropoutMask(a[0] as number, { ...operation, shape: [...shape] }),
      );
  }
}

/** Converts a number to an element type. */
function convert(value: number, dtype: DType): number {
  switch (dtype) {
    case "float32":
      return value;
    case "int32":
      return Math.trunc(value) | 0;
    case "bool":
      return Number(value !== 0);
  }
}

/** Writes `part` into `target` in place, at position `start`. */
function placeInto(
  target: Elements,
  shape: readonly number[],
  { part, partShape, start }: {
    readonly part: Elements;
    readonly partShape: readonly number[];
    readonly start: readonly number[];
  },
): void {
  const strides = rowMajorStrides(shape), own = rowMajorStrides(partShape);
  part.forEach((value, i) => {
    const to = strides.reduce((sum, stride, axis) => {
      const index = Math.floor(i / (own[axis] as number)) % (partShape[axis] as number);
      return sum + (index + (start[axis] as number)) * stride;
    }, 0);
    target[to] = value;
  });
}

/** Initial value and combination of reductions. */
const REDUCTIONS = {
  sum: [0, (x, y) => x + y],
  prod: [1, (x, y) => x * y],
  max: [-Infinity, Math.max],
  min: [Infinity, Math.min],
  any: [0, Math.max],
  all: [1, Math.min],
} as const satisfies Partial<
  Record<Reduction, readonly [number, (x: number, y: number) => number]>
>;

function reduce(
  name: Reduction,
  x: Elements,
  shape: readonly number[],
  axes: readonly number[],
): Elements {
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const resultShape = kept.map((axis) => shape[axis] as number);
  const own = rowMajorStrides(shape), to = rowMajorStrides(resultShape);
  const digit = (i: number, axis: number) =>
    Math.floor(i / (own[axis] as number)) % (shape[axis] as number);
  const place = (i: number) =>
    kept.reduce((sum, axis, k) => sum + digit(i, axis) * (to[k] as number), 0);
  const result = new Float64Array(sizeOf(resultShape));
  if (name === "argmax" || name === "argmin") {
    const best = new Float64Array(result.length).fill(NaN), sign = name === "argmax" ? 1 : -1;
    x.forEach((value, i) => {
      const at = place(i);
      if (sign * value <= sign * (best[at] as number)) return;
      best[at] = value;
      result[at] = digit(i, axes[0] as number);
    });
    return result;
  }
  const [neutral, combine] = REDUCTIONS[name];
  result.fill(neutral);
  x.forEach((value, i) => {
    const at = place(i);
    result[at] = combine(result[at] as number, value);
  });
  return result;
}

function multiply({ operation, inputs, shape }: Node, a: Elements, b: Elements): Elements {
  if (operation.kind !== "matmul") throw new Error("internal: not a matrix product");
  const { transposeA, transposeB } = operation;
  const [rows = 1, columns = 1] = shape.slice(-2);
  const inner = inputs[0]?.shape.at(transposeA ? -2 : -1) ?? 1;
  const [stepA, alongA] = transposeA ? [1, rows] : [inner, 1];
  const [stepB, alongB] = transposeB ? [inner, 1] : [1, columns];
  return fill(shape, (i) => {
    const batch = Math.floor(i / (rows * columns));
    const startA = batch * rows * inner + Math.floor(i / columns) % rows * stepA;
    const startB = batch * inner * columns + i % columns * stepB;
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += (a[startA + k * alongA] as number) * (b[startB + k * alongB] as number);
    }
    return sum;
  });
}

/** erf x in double precision: its Taylor series near 0, the continued fraction of erfc beyond (DLMF 7.6.1, 7.9.1). */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  if (Math.abs(x) < 2.5) {
    let term = x, sum = x;
    for (let n = 1; n < 80; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }
  const z = Math.abs(x);
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  const rest = Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction);
  return Number.isNaN(x) ? NaN : Math.sign(x) * (1 - rest);
}

/** Rounds to the nearest bfloat16, ties to even. */
function roundBfloat16(x: number): number {
  const float = Float32Array.of(x), bits = new Uint32Array(float.buffer);
  if (!Number.isFinite(float[0])) return x;
  const low = (bits[0] as number) & 0xffff, high = (bits[0] as number) - low;
  const up = low > 0x8000 || (low === 0x8000 && (high & 0x10000) !== 0);
  bits[0] = up ? high + 0x10000 : high;
  return float[0] as number;
}

function roundEven(x: number): number {
  const floor = Math.floor(x), rest = x - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}

const UNARY = {
  neg: (x) => -x,
  abs: Math.abs,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  erf,
  tanh: Math.tanh,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundEven,
  sign: Math.sign,
  not: (x) => Number(x === 0),
  "round-bfloat16": roundBfloat16,
  "round-float16": Math.f16round,
} as const satisfies Record<UnaryOperation, (x: number) => number>;

const BINARY = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  max: Math.max,
  min: Math.min,
  pow: Math.pow,
  eq: (x, y) => Number(x === y),
  ne: (x, y) => Number(x !== y),
  lt: (x, y) => Number(x < y),
  le: (x, y) => Number(x <= y),
  gt: (x, y) => Number(x > y),
  ge: (x, y) => Number(x >= y),
  and: (x, y) => Number(x !== 0 && y !== 0),
  or: (x, y) => Number(x !== 0 || y !== 0),
} as const satisfies Record<BinaryOperation, (x: number, y: number) => number>;
