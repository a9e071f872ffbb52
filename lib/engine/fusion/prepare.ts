/**
 * Rewrites before fusion, so that more of a graph fuses.
 * @module
 */
import { storageOf } from "@/engine/fusion/lowering.ts";
import { isFusedReduction } from "@/engine/fusion/space.ts";
import { type Graph, reachableNodes } from "@/engine/graph.ts";
import type { Node, Operation } from "@/engine/ir.ts";
import { copyNode, type MakeNode, rewriteGraph } from "@/engine/rewrite_graph.ts";
import {
  composeViews,
  identityView,
  rowMajorStrides,
  sizeOf,
  stridedView,
  type View,
} from "@/engine/views.ts";

/** Number of elements above which a sum over everything is computed in two steps. */
const LARGE_SUM = 4096;

/** Operations with constant operands as immediates; all others read constants from memory. */
const TAKE_CONSTANTS: ReadonlySet<string> = new Set(["unary", "binary", "where", "cast"]);

/** Operations that move elements as they are in memory: they read float32 and no half type. */
const READ_FULL_FLOATS: ReadonlySet<string> = new Set(["pad", "concat", "scatter-add", "top"]);

/** True if a node reads float32 only: one of {@link READ_FULL_FLOATS}, or a reduction outside a loop nest. */
function readsFullFloats(node: Node): boolean {
  const { operation, inputs: [x] } = node;
  if (operation.kind !== "reduce" || x === undefined) return READ_FULL_FLOATS.has(operation.kind);
  const { axes, name } = operation;
  const last = axes.at(-1) === x.shape.length - 1, first = axes[0] === 0 && name === "sum";
  return !isFusedReduction(node) || !(last || first);
}

/** A constant's elements in memory. */
function materialize({ operation, shape, dtype }: Node, make: MakeNode): Node {
  if (operation.kind !== "constant") throw new TypeError("internal: not a constant");
  const size = sizeOf(shape);
  const elements = dtype === "float32"
    ? new Float32Array(size)
    : dtype === "int32"
    ? new Int32Array(size)
    : new Uint8Array(size);
  return make({ kind: "data", data: elements.fill(operation.value), id: -1 }, [], shape, dtype);
}

/** A view of a node, or of the node's base if the two views compose. */
function viewOf(x: Node, shape: readonly number[], view: View, make: MakeNode): Node {
  const { operation, inputs: [base], dtype } = x;
  const composed = operation.kind === "view" ? composeViews(view, operation.view) : null;
  return composed !== null && base !== undefined
    ? make({ kind: "view", view: composed }, [base], shape, dtype)
    : make({ kind: "view", view }, [x], shape, dtype);
}

function reshape(x: Node, shape: readonly number[], make: MakeNode): Node {
  return viewOf(x, shape, identityView(shape), make);
}

/** `x` with some axes moved behind all others. */
function moveLast(x: Node, axes: readonly number[], make: MakeNode): Node {
  const strides = rowMajorStrides(x.shape);
  const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
  const shape = order.map((axis) => x.shape[axis] as number);
  return viewOf(x, shape, stridedView(shape, order.map((axis) => strides[axis] as number)), make);
}

/**
 * Rewrites a graph for fusion:
 *
 * - every reader of a dropout mask gets a separate mask, which is recomputed where it is used instead of being stored
 *   from the forward to the backward pass;
 * - sums over all elements sum rows first, which can be partitioned among threads;
 * - any and all become maximum and minimum;
 * - reductions over separate axes reduce the last axes;
 * - constants are materialized for operations that read operands from memory;
 * - bfloat16 values are widened for operations that read float32.
 */
export function prepareForFusion(graph: Graph): Graph {
  const rewritten = rewriteGraph(graph, (node, inputs, make) => {
    const { operation, shape, dtype } = node;
    const own = inputs.map((input): Node => {
      const { kind } = input.operation;
      if (kind === "dropout-mask") return copyNode(input, input.inputs, make);
      const inMemory = kind === "constant" && !TAKE_CONSTANTS.has(operation.kind);
      if (readsFullFloats(node) && storageOf(input) === "bfloat16") {
        return make({ kind: "cast" }, [input], input.shape, input.dtype);
      }
      return inMemory ? materialize(input, make) : input;
    });
    const [x] = own;
    if (operation.kind === "reduce" && x !== undefined) {
      const { name, axes } = operation;
      const isTruth = name === "any" || name === "all";
      const [first = 0] = axes, last = axes.at(-1) ?? 0;
      const isApart = last - first + 1 !== axes.length;
      if (isTruth || isApart) {
        const numbers = isTruth ? make({ kind: "cast" }, [x], x.shape, "int32") : x;
        const moved = isApart ? moveLast(numbers, axes, make) : numbers;
        const reduction: Operation = {
          kind: "reduce",
          name: name === "any" ? "max" : name === "all" ? "min" : name,
          axes: isApart ? axes.map((_, i) => shape.length + i) : axes,
        };
        const result = make(reduction, [moved], shape, isTruth ? "int32" : dtype);
        return isTruth ? make({ kind: "cast" }, [result], shape, dtype) : result;
      }
    }
    if (operation.kind === "matmul" && shape.length > 4) {
      const { transposeA, transposeB } = operation;
      const [a, b] = own.map((factor) => {
        const matrix = factor.shape.slice(-2);
        return reshape(factor, [sizeOf(factor.shape) / sizeOf(matrix), ...matrix], make);
      }) as [Node, Node];
      const flat = [sizeOf(shape.slice(0, -2)), ...shape.slice(-2)];
      const matmul = make({ kind: "matmul", transposeA, transposeB }, [a, b], flat, dtype);
      return reshape(matmul, shape, make);
    }
    if (operation.kind === "reduce" && operation.name === "sum" && x !== undefined) {
      const rows = x.shape.slice(0, -1);
      const all = operation.axes.length === x.shape.length;
      if (all && rows.length > 0 && sizeOf(x.shape) > LARGE_SUM && sizeOf(rows) > 1) {
        const last = { kind: "reduce", name: "sum", axes: [rows.length] } as const;
        const sums = make(last, [x], rows, dtype);
        return make({ ...last, axes: [...rows.keys()] }, [sums], shape, dtype);
      }
    }
    return copyNode(node, own, make);
  });
  // Replaced nodes are unreachable now.
  return { ...rewritten, nodes: reachableNodes(rewritten.outputs.map(({ node }) => node)) };
}
