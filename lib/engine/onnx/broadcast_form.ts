/**
 * Views that can be expressed by ONNX's implicit broadcasting.
 * @module
 */
import type { Node } from "@/engine/ir.ts";
import { equalShapes } from "@/engine/tape.ts";
import { splitView, type View } from "@/engine/views.ts";

/** A view of `base` in `shape`, which broadcasts to the shape of the node. */
export type BroadcastForm = {
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
