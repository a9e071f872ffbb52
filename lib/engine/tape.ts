/**
 * A tape: the nodes recorded so far, and constructors that simplify while they record.
 *
 * Equal nodes are one node (hash-consing), so a gradient reuses values of the forward pass at no cost.
 * Constants are folded, x + 0 and x · 1 are dropped, and views of views become one view.
 * @module
 */
import { RefusalError } from "@/engine/errors.ts";
import {
  type BinaryOperation,
  COMPARISONS,
  type DType,
  type Node,
  type Operation,
  type Reduction,
  type UnaryOperation,
} from "@/engine/ir.ts";
import {
  type Bound,
  composeWithBounds,
  identityView,
  isContiguous,
  rowMajorStrides,
  sizeOf,
  stridedView,
  type View,
} from "@/engine/views.ts";

/** Constant folding of arithmetic while recording, in double precision. */
const FOLDS: Partial<Record<BinaryOperation, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

/** Reductions over no elements. */
const OF_NOTHING = {
  sum: 0,
  prod: 1,
  max: -Infinity,
  min: Infinity,
  any: 0,
  all: 1,
  argmax: 0,
  argmin: 0,
} as const satisfies Record<Reduction, number>;

/** True if two shapes are equal. */
export function equalShapes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The shape to which both broadcast, by NumPy's rules. */
function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1, y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new RefusalError(`Cannot broadcast as sizes must be equal or 1: [${a}] and [${b}]`);
    }
    return x === 1 ? y : x;
  });
}

/** True if a node is the constant `value`, or any constant if `value` is left out. */
export function isConstant(node: Node, value?: number): boolean {
  const { operation } = node;
  return operation.kind === "constant" && (value === undefined || operation.value === value);
}

/** A number converted to a type, as its elements hold it. */
function convert(value: number, dtype: DType): number {
  switch (dtype) {
    case "float32":
      return value;
    case "int32":
      return Math.trunc(value);
    case "bool":
      return Number(value !== 0);
  }
}

/** The region of the nodes that are being recorded; undefined: none. */
let region: string | undefined;

/**
 * Runs `record`. The nodes that it records belong to the region `name`, which names the kernels that compute them; an inner
 * region takes precedence.
 */
export function inRegion<T>(name: string, record: () => T): T {
  const outer = region;
  region = name;
  try {
    return record();
  } finally {
    region = outer;
  }
}

/** The recorded nodes; see the head of the file. */
export class Tape {
  /**
   * Assumptions about sizes beyond equality and divisibility. If one of them does not hold at a call, tracing
   * there would have recorded something else or refused.
   */
  readonly bounds: Bound[] = [];
  #nodes = new Map<string, Node>();
  #count = 0;
  #data = 0;

  /** Number of nodes on the tape. */
  get size(): number {
    return this.#count;
  }

  /** The node of `operation`; an equal node if the tape has one. */
  make(
    operation: Operation,
    inputs: readonly Node[],
    shape: readonly number[],
    dtype: DType,
  ): Node {
    const { kind } = operation;
    if (shape.includes(0) && kind !== "leaf" && kind !== "constant") {
      return this.constant(0, shape, dtype); // there is nothing to compute
    }
    const data = kind === "data" ? operation.id : operation;
    const key = `${inputs.map(({ id }) => id)}|${shape}|${dtype}|${
      JSON.stringify(data, keepNumbers)
    }`;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      const named = region === undefined ? {} : { region };
      node = { id: this.#count++, operation, inputs, shape: [...shape], dtype, ...named };
      this.#nodes.set(key, node);
    }
    return node;
  }

  /** All nodes recorded so far, in order. */
  get nodes(): readonly Node[] {
    return [...this.#nodes.values()];
  }

  /** A value from outside; the number `leaf` distinguishes leaves. */
  leaf(leaf: number, shape: readonly number[], dtype: DType): Node {
    return this.make({ kind: "leaf", leaf }, [], shape, dtype);
  }

  constant(value: number, shape: readonly number[] = [], dtype: DType = "float32"): Node {
    return this.make({ kind: "constant", value: convert(value, dtype) }, [], shape, dtype);
  }

  /** Adds an array of known elements; if all are equal, it becomes a constant. The array is not copied. */
  data(
    data: Float32Array | Int32Array | Uint8Array,
    shape: readonly number[],
    dtype: DType,
  ): Node {
    const first = data[0];
    if (first !== undefined && data.every((value) => Object.is(value, first))) {
      return this.constant(first, shape, dtype);
    }
    return this.make({ kind: "data", data, id: this.#data++ }, [], shape, dtype);
  }

  view(x: Node, shape: readonly number[], view: View): Node {
    const { operation } = x;
    if (operation.kind === "constant") return this.constant(operation.value, shape, x.dtype);
    if (isContiguous(view, sizeOf(x.shape)) && equalShapes(shape, x.shape)) return x;
    if (operation.kind === "view" && x.inputs[0] !== undefined) {
      const composed = composeWithBounds(view, operation.view);
      if (composed !== null) {
        this.bounds.push(...composed.bounds);
        return this.view(x.inputs[0], shape, composed.view);
      }
    }
    return this.make({ kind: "view", view }, [x], shape, x.dtype);
  }

  reshape(x: Node, shape: readonly number[]): Node {
    return this.view(x, shape, identityView(shape));
  }

  broadcast(x: Node, shape: readonly number[]): Node {
    if (equalShapes(x.shape, shape)) return x;
    const own = rowMajorStrides(x.shape);
    const added = shape.length - x.shape.length;
    const strides = shape.map((size, axis) =>
      axis < added || (x.shape[axis - added] === 1 && size !== 1) ? 0 : own[axis - added] as number
    );
    return this.view(x, shape, stridedView(shape, strides));
  }

  /** Records the assumption `count` ≤ `size`. */
  takeAtMost(count: number, size: number): void {
    this.bounds.push({ size, offset: 0, steps: [[count, 1]] });
  }

  unary(name: UnaryOperation, x: Node): Node {
    return this.make({ kind: "unary", name }, [x], x.shape, x.dtype);
  }

  /** `a` and `b` are broadcast to one shape. The result is boolean for comparisons, else of a's type. */
  binary(name: BinaryOperation, a: Node, b: Node): Node {
    const shape = broadcastShapes(a.shape, b.shape);
    const fold = FOLDS[name];
    if (a.operation.kind === "constant" && b.operation.kind === "constant" && fold !== undefined) {
      return this.constant(fold(a.operation.value, b.operation.value), shape, a.dtype);
    }
    if (name === "add" && isConstant(a, 0)) return this.broadcast(b, shape);
    if ((name === "add" || name === "sub") && isConstant(b, 0)) return this.broadcast(a, shape);
    if (name === "mul" && isConstant(a, 1)) return this.broadcast(b, shape);
    if ((name === "mul" || name === "div") && isConstant(b, 1)) return this.broadcast(a, shape);
    if (name === "div" && b.operation.kind === "constant" && a.dtype === "float32") {
      const inverse = this.constant(1 / b.operation.value, b.shape, b.dtype);
      if (Number.isInteger(Math.log2(b.operation.value))) return this.binary("mul", a, inverse);
    }
    const operands = [a, b].map((x) =>
      x.operation.kind === "constant"
        ? this.constant(x.operation.value, [], x.dtype)
        : this.broadcast(x, shape)
    );
    const dtype = COMPARISONS.has(name) ? "bool" : a.dtype;
    return this.make({ kind: "binary", name }, operands, shape, dtype);
  }

  where(condition: Node, then: Node, otherwise: Node): Node {
    const shape = broadcastShapes(
      condition.shape,
      broadcastShapes(then.shape, otherwise.shape),
    );
    const inputs = [condition, then, otherwise].map((x) => this.broadcast(x, shape));
    return this.make({ kind: "where" }, inputs, shape, then.dtype);
  }

  cast(x: Node, dtype: DType): Node {
    if (x.dtype === dtype) return x;
    if (x.operation.kind === "constant") {
      return this.constant(x.operation.value, x.shape, dtype);
    }
    return this.make({ kind: "cast" }, [x], x.shape, dtype);
  }

  reduce(name: Reduction, x: Node, axes: readonly number[], keepAxes: boolean): Node {
    const shape = x.shape.filter((_, axis) => !axes.includes(axis));
    const kept = x.shape.map((size, axis) => axes.includes(axis) ? 1 : size);
    const isPlace = name === "argmax" || name === "argmin";
    const dtype = isPlace ? "int32" : x.dtype;
    const sorted = [...axes].sort((a, b) => a - b);
    const count = sizeOf(sorted.map((axis) => x.shape[axis] as number));
    let result: Node;
    if (count === 0) result = this.constant(OF_NOTHING[name], shape, dtype);
    else if (count === 1) {
      result = isPlace ? this.constant(0, shape, dtype) : this.reshape(x, shape);
    } else result = this.make({ kind: "reduce", name, axes: sorted }, [x], shape, dtype);
    return keepAxes ? this.reshape(result, kept) : result;
  }

  /** Matrix product; batch axes broadcast. */
  matmul(a: Node, b: Node, transposeA: boolean, transposeB: boolean): Node {
    const rows = a.shape.at(transposeA ? -1 : -2) as number;
    const columns = b.shape.at(transposeB ? -2 : -1) as number;
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (a.shape.at(transposeA ? -2 : -1) === 0) {
      return this.constant(0, [...batch, rows, columns], a.dtype);
    }
    const inputs = [a, b].map((x) => this.broadcast(x, [...batch, ...x.shape.slice(-2)]));
    const operation: Operation = { kind: "matmul", transposeA, transposeB };
    return this.make(operation, inputs, [...batch, rows, columns], a.dtype);
  }
}

/** A replacer for `JSON.stringify` that preserves NaN, infinities and the sign of zero, which distinguish constants. */
export function keepNumbers(_key: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  return Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : Object.is(value, -0)
    ? "-0"
    : `${value}`;
}
