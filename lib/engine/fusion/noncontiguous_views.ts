/**
 * Non-contiguous views that no instruction can read in place, so that they must be materialized: a transposed
 * operand of an elementwise operation, a slice as a gather's table, a factor with an axis of several strides.
 * @module
 */
import type { FusedGraph } from "@/engine/fusion/fuse.ts";
import type { LoweredGraph } from "@/engine/fusion/lowering.ts";
import { type Matmul, strideOf } from "@/engine/fusion/matmuls.ts";
import { hasFullAccess } from "@/engine/fusion/space.ts";
import type { Node } from "@/engine/ir.ts";
import { isContiguous, sizeOf, splitView } from "@/engine/views.ts";

const ELEMENTWISE: ReadonlySet<string> = new Set(["unary", "binary", "where", "cast"]);

/** The views of a fused graph that must be materialized before it can run. */
export function findNoncontiguousViews({ lowered, units }: FusedGraph): Node[] {
  return units.flatMap(({ kind, nodes }) =>
    nodes.flatMap((node) => {
      if (kind === "group") return node.operation.kind === "gather" ? unordered(node, lowered) : [];
      const matmul = lowered.matmuls.get(node);
      if (matmul !== undefined) return noncontiguousFactors(matmul, lowered);
      if (ELEMENTWISE.has(node.operation.kind)) return noncontiguousOperands(node, lowered);
      return unordered(lowered.scatters.get(node)?.scatter ?? node, lowered);
    })
  ).filter((node) => node.operation.kind === "view" && !lowered.copies.has(node));
}

/** Operands that are not contiguous in memory. */
function unordered({ operation, inputs }: Node, { resolve }: LoweredGraph): Node[] {
  if (operation.kind === "view") return [];
  const read = operation.kind === "gather" ? inputs.slice(0, 1) : inputs;
  return read.filter((input) => {
    const { base, view } = resolve(input);
    const size = sizeOf(base.shape);
    return !isContiguous(view, size) || size !== sizeOf(input.shape);
  });
}

/** Operands that a loop over the last axis cannot stream. */
function noncontiguousOperands({ inputs, shape }: Node, { resolve }: LoweredGraph): Node[] {
  const columns = shape.at(-1) || 1;
  const space = { rows: sizeOf(shape) / columns, columns };
  return inputs.filter(({ operation }) => operation.kind !== "constant").filter((input) =>
    !hasFullAccess(resolve(input), space, { resolve, roleOf: () => undefined })
  );
}

/** Factors that have an axis with several strides, or no contiguous axis. */
function noncontiguousFactors(
  { a, b, shapeA, shapeB, factors }: Matmul,
  lowered: LoweredGraph,
): Node[] {
  return [[a, shapeA, factors[0]] as const, [b, shapeB, factors[1]] as const].flatMap(
    ([{ base, view }, shape, factor]) => {
      const own = lowered.resolve(base);
      const isPlain = own.base === base && isContiguous(own.view, sizeOf(base.shape));
      const axes = splitView(isPlain ? view : lowered.compose(view, own.view), shape);
      if (axes === null) return [factor];
      const strides = axes.map(strideOf);
      const isUnit = (axis: number) => shape.at(axis) === 1 || strides.at(axis) === 1;
      return strides.includes(null) || !(isUnit(-1) || isUnit(-2)) ? [factor] : [];
    },
  );
}
