/**
 * Epilogues: loop nests that run on a matrix product's rows while these are still in a cache. Examples are GELU
 * and its gradient, dropout with the residual sum and layer norm, and the softmax of scores.
 * @module
 */
import type { Unit } from "@/engine/fusion/fuse.ts";
import type { LoweredGraph } from "@/engine/fusion/lowering.ts";
import { isGenerated } from "@/engine/fusion/space.ts";
import { isContiguous, sizeOf } from "@/engine/views.ts";

/**
 * True if `next`, a group that is ready once `unit` has run, can be the epilogue of `unit`, a matrix product:
 * both have the same rows, and the group reads only elements of the product in those rows.
 */
export function canFollow(unit: Unit, next: Unit, lowered: LoweredGraph): boolean {
  const [node] = unit.nodes;
  const matmul = node && lowered.matmuls.get(node);
  if (matmul === undefined || matmul.permuted !== null || next.kind !== "group") return false;
  const size = sizeOf(matmul.shape), columns = matmul.shape.at(-1) ?? 1;
  const { rows, columns: width } = next.space;
  if (rows * width !== size || !(next.flat || width === columns)) return false;
  let reads = 0;
  for (const reader of next.nodes) {
    for (const input of reader.inputs) {
      if (input.operation.kind === "constant") continue;
      const { base, view } = lowered.resolve(input);
      if (base !== node) continue;
      if (isGenerated(reader) || !isContiguous(view, size)) return false;
      reads++;
    }
  }
  return reads > 0;
}
