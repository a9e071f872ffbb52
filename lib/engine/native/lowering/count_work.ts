/**
 * Counts the work of instructions: floating-point operations of matrix products, and the bytes of the values that
 * a pass reads and writes, each once. Traffic of an implementation beyond that (a row read again by a later
 * phase, packed operands, partial sums of threads) does not count.
 * @module
 */
import type { Unit } from "../../fusion/fuse.ts";
import { type LoweredGraph, STORAGE_BYTES, storageOf } from "../../fusion/lowering.ts";
import type { Operand } from "../../fusion/operands.ts";
import type { Matmul } from "../../fusion/matmuls.ts";
import { isFusedReduction } from "../../fusion/space.ts";
import type { Node } from "../../ir.ts";
import type { PassKind, Work } from "../../profile.ts";
import { sizeOf } from "../../views.ts";

/** The work of an instruction as terms of a sum, each a product of sizes. */
export type WorkTerms = { readonly [K in keyof Work]: readonly number[] };

/** The work of an instruction that only the implementation needs. */
export const NO_WORK: WorkTerms = { flops: [], bytes: [] };

/** The sum of terms. */
export function addTerms({ flops, bytes }: WorkTerms): Work {
  const sum = (terms: readonly number[]) => terms.reduce((total, term) => total + term, 0);
  return { flops: sum(flops), bytes: sum(bytes) };
}

/** Elements that a view names, each counted once. */
function countElements({ base, view }: Operand): number {
  const named = view.digits.reduce((n, { size, stride }) => stride === 0 ? n : n * size, 1);
  return Math.min(named, sizeOf(base.shape));
}

function bytesOf(node: Node, elements: number, { matmuls }: LoweredGraph): number {
  return elements * STORAGE_BYTES[storageOf(node, matmuls)];
}

/** The work of a loop nest that leaves `exported` in memory. */
export function countGroup(
  { nodes, roles }: Unit,
  exported: ReadonlySet<Node>,
  lowered: LoweredGraph,
): WorkTerms {
  const read = new Map<Node, Map<string, number>>(); // by value and view of it: elements
  for (const node of nodes) {
    const { operation, inputs, shape } = node;
    for (const [i, input] of inputs.entries()) {
      if (input.operation.kind === "constant") continue;
      const operand = lowered.resolve(input);
      if (roles.has(operand.base)) continue;
      const looksUp = operation.kind === "gather" && i === 0;
      const known = read.get(operand.base) ?? new Map<string, number>();
      known.set(
        looksUp ? `rows of ${node.id}` : JSON.stringify(operand.view),
        looksUp ? sizeOf(shape) : countElements(operand),
      );
      read.set(operand.base, known);
    }
  }
  const bytes: number[] = [];
  for (const [base, views] of read) {
    const counts = [...views.values()], size = sizeOf(base.shape);
    const elements = counts.reduce((sum, count) => sum + count, 0);
    for (const count of elements <= size ? counts : [size]) {
      bytes.push(bytesOf(base, count, lowered));
    }
  }
  for (const node of exported) bytes.push(bytesOf(node, sizeOf(node.shape), lowered));
  return { flops: [], bytes };
}

/** The kind under which a loop nest is counted. */
export function classifyGroup({ nodes, roles }: Unit): PassKind {
  const has = (fits: (node: Node) => boolean) => nodes.some(fits);
  if (has(({ operation }) => operation.kind === "gather")) return "lookups";
  if (has((node) => roles.get(node) === "row" && isFusedReduction(node))) return "rows";
  return has((node) => roles.get(node) === "column") ? "columns" : "elements";
}

/** The work of a matrix product, including the operations that it absorbed. */
export function countMatmul(matmul: Matmul, lowered: LoweredGraph): WorkTerms {
  const { node, a, b, bias, onto, shape, shapeA, transposeA } = matmul;
  const inner = shapeA.at(transposeA ? -2 : -1) ?? 1;
  const operands = [a, b, ...(bias ? [bias] : [])];
  const values = [node, ...(onto ? [onto] : [])];
  return {
    flops: [2 * sizeOf(shape) * inner],
    bytes: [
      ...operands.map((x) => bytesOf(x.base, countElements(x), lowered)),
      ...values.map((x) => bytesOf(x, sizeOf(x.shape), lowered)),
    ],
  };
}

/**
 * The work of a scatter of `count` rows of `width` elements of 4 bytes: rows and their numbers are read,
 * and onto a table that is there no more of its rows are read and written than there are numbers.
 */
export function countScatter(
  { count, width, tableRows, onto }: {
    readonly count: number;
    readonly width: number;
    readonly tableRows: number;
    readonly onto: boolean;
  },
): WorkTerms {
  const touched = onto ? 2 * Math.min(count, tableRows) : tableRows;
  return { flops: [], bytes: [4 * count, 4 * count * width, 4 * touched * width] };
}
