/**
 * Matches nodes that ONNX computes as part of one operator: alpha · A · B + C with transposes, and views that are
 * implicit broadcasting.
 * @module
 */
import type { Node } from "../ir.ts";
import { equalShapes } from "../tape.ts";
import { splitView, type View } from "../views.ts";

/** A matrix product with the operations folded into it. `addend` is C, in the result's shape or broadcast to it. */
export type Matmul = {
  /** `gemm`: two matrices; `batched`: batches of matrices; `scatter`: a scatter-add onto `addend`. */
  readonly kind: "gemm" | "batched" | "scatter";
  readonly node: Node;
  readonly a: Node;
  readonly b: Node;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
  readonly addend: Node | null;
};

/** Matches a matrix product, optionally scaled by a constant and with one addend; null for any other node. */
export function matchMatmul(node: Node, usedOnce: (node: Node) => boolean): Matmul | null {
  const plain = matchScaled(node, usedOnce);
  if (plain !== null) return plain;
  const { operation, inputs: [x, y] } = node;
  if (operation.kind !== "binary" || operation.name !== "add" || node.dtype !== "float32") {
    return null;
  }
  for (const [term, addend] of [[x, y], [y, x]] as const) {
    if (term === undefined || addend === undefined || !usedOnce(term)) continue;
    const { operation } = term;
    if (operation.kind === "scatter-add" && equalShapes(addend.shape, node.shape)) {
      const [a, b] = term.inputs as [Node, Node];
      const flags = { transposeA: false, transposeB: false, alpha: 1 };
      return { kind: "scatter", node: term, a, b, ...flags, addend };
    }
    const matmul = matchScaled(term, usedOnce);
    if (matmul?.kind === "gemm" && isAddend(addend)) return { ...matmul, node, addend };
  }
  return null;
}

/** Matches a matrix product, or one times a constant. */
function matchScaled(node: Node, usedOnce: (node: Node) => boolean): Matmul | null {
  const { operation, inputs: [x, y] } = node;
  if (operation.kind === "matmul") {
    const { transposeA, transposeB } = operation;
    const kind = node.shape.length === 2 && node.dtype === "float32" ? "gemm" : "batched";
    const [a, b] = [x, y] as [Node, Node];
    return { kind, node, a, b, transposeA, transposeB, alpha: 1, addend: null };
  }
  if (operation.kind !== "binary" || operation.name !== "mul" || node.dtype !== "float32") {
    return null;
  }
  for (const [term, factor] of [[x, y], [y, x]] as const) {
    if (term === undefined || factor?.operation.kind !== "constant" || !usedOnce(term)) continue;
    if (term.operation.kind !== "matmul") continue;
    const matmul = matchScaled(term, usedOnce);
    if (matmul !== null) return { ...matmul, node, alpha: factor.operation.value };
  }
  return null;
}

/** True if Gemm can add the term: a full matrix, or a row that is broadcast to all rows of the result. */
function isAddend(term: Node): boolean {
  const { operation, shape } = term;
  if (operation.kind === "constant") return false;
  if (operation.kind !== "view") return true;
  const axes = splitView(operation.view, shape);
  return axes !== null &&
    axes.every((digits) => new Set(digits.map(({ stride }) => stride === 0)).size <= 1);
}

/** A view of `base` in `shape`, which broadcasts to the shape of the node. */
type BroadcastForm = {
  readonly base: Node;
  readonly view: View;
  readonly shape: readonly number[];
};

/**
 * The broadcast form of a view that repeats its base along entire axes: these axes have size 1 in it. Null for any
 * other node. The last `matrixAxes` axes are those of a matrix and must not repeat.
 */
export function findBroadcastForm(
  node: Node,
  matrixAxes: number,
): BroadcastForm | null {
  const { operation, inputs: [base], shape } = node;
  if (operation.kind !== "view" || base === undefined) return null;
  const axes = splitView(operation.view, shape);
  if (axes === null) return null;
  const repeats = axes.map((digits) => digits.every(({ stride }) => stride === 0));
  const ones = shape.map((size, axis) => repeats[axis] ? 1 : size);
  const own = shape.length - matrixAxes;
  if (equalShapes(ones, shape) || !equalShapes(ones.slice(own), shape.slice(own))) return null;
  const digits = axes.flatMap((digits, axis) => repeats[axis] ? [] : digits);
  return { base, view: { digits, offset: operation.view.offset }, shape: ones };
}
