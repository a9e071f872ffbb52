/**
 * Matrix products with the operations that they absorb: a bias, a sum onto which they accumulate, a rounding, a
 * permutation of the result. Transposes and split heads of operands become strides, so no transpose is ever
 * carried out.
 * @module
 */
import type { HalfType, Node } from "@/engine/ir.ts";
import { type Operand, resolveOperand } from "@/engine/fusion/operands.ts";
import { type Digit, isContiguous, sizeOf, splitView, type View } from "@/engine/views.ts";

/** A floating-point matrix product that runs as one instruction. */
export type Matmul = {
  /** The node whose value the matrix product computes, including the absorbed operations. */
  readonly node: Node;
  readonly a: Operand;
  readonly b: Operand;
  /** Both factors as they were recorded. */
  readonly factors: readonly [Node, Node];
  /** Shapes of the operands as read by the product, [… M, K] and [… K, N] or transposed. */
  readonly shapeA: readonly number[];
  readonly shapeB: readonly number[];
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** [… M, N] */
  readonly shape: readonly number[];
  /** A row vector added to every row; null: none. */
  readonly bias: Operand | null;
  /** The value onto which it accumulates, in that value's memory; null: none. */
  readonly onto: Node | null;
  /** Multiplies in bfloat16, accumulating in float32. */
  readonly half: boolean;
  /** True if the result is stored in bfloat16. */
  readonly rounds: boolean;
  /** The type to which sums, including the bias, are rounded; the accumulated result stays float32. */
  readonly sumsRoundedTo: HalfType | null;
  /** Position of element (… M, N) in the result's memory; null: row-major. */
  permuted: View | null;
};

/** A scatter-add with the value onto which it accumulates, in that value's memory; null: onto zeros. */
export type Scatter = { readonly scatter: Node; readonly onto: Node | null };

/** All scatter-adds by the node they give; those that accumulate onto a leaf they replace absorb the sum. */
export function findScatters(
  nodes: readonly Node[],
  { targets, outputs, copies }: Surroundings,
): { scatters: Map<Node, Scatter>; absorbed: Set<Node> } {
  const scatters = new Map<Node, Scatter>();
  const absorbed = new Set<Node>();
  const readers = countReaders(nodes);
  for (const node of nodes) {
    if (node.operation.kind === "scatter-add" && !absorbed.has(node)) {
      scatters.set(node, { scatter: node, onto: null });
      continue;
    }
    const target = targets.get(node);
    if (node.operation.kind !== "binary" || node.operation.name !== "add" || !target) continue;
    const [x, y] = node.inputs as [Node, Node];
    for (const [term, other] of [[x, y], [y, x]] as const) {
      const { base, view } = resolveOperand(other, copies);
      const once = readers.get(term) === 1 && !outputs.has(term);
      if (term.operation.kind !== "scatter-add" || !once || base !== target) continue;
      if (!isContiguous(view, sizeOf(node.shape))) continue;
      scatters.delete(term);
      scatters.set(node, { scatter: term, onto: base });
      absorbed.add(term);
    }
  }
  return { scatters, absorbed };
}

/** Number of readers of each node. */
function countReaders(nodes: readonly Node[]): Map<Node, number> {
  const counts = new Map<Node, number>();
  for (const { inputs } of nodes) {
    for (const input of inputs) counts.set(input, (counts.get(input) ?? 0) + 1);
  }
  return counts;
}

type Surroundings = {
  /** Leaves by the nodes that replace them. */
  readonly targets: ReadonlyMap<Node, Node>;
  /** Nodes whose values are outputs of the program. */
  readonly outputs: ReadonlySet<Node>;
  readonly copies: ReadonlySet<Node>;
};

/** The half type to which a node rounds; null for other operations. */
function roundingOf({ operation }: Node): HalfType | null {
  if (operation.kind !== "unary") return null;
  switch (operation.name) {
    case "round-bfloat16":
      return "bfloat16";
    case "round-float16":
      return "float16";
    default:
      return null;
  }
}

/** True if a node rounds to bfloat16, in which it is then stored. */
function isRounding(node: Node): boolean {
  return roundingOf(node) === "bfloat16";
}

/** All floating-point matrix products by the node they give, and the nodes that they absorb. */
export function findMatmuls(
  nodes: readonly Node[],
  { targets, outputs, copies }: Surroundings,
): { matmuls: Map<Node, Matmul>; absorbed: Set<Node> } {
  const readers = new Map<Node, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known) known.push(node);
      else readers.set(input, [node]);
    }
  }
  const matmuls = new Map<Node, Matmul>();
  const absorbed = new Set<Node>();
  const onlyReader = (node: Node) => {
    const [reader, more] = readers.get(node) ?? [];
    return outputs.has(node) || more !== undefined ? undefined : reader;
  };

  /** The only reader of a value, possibly through a view. */
  const onlyUser = (node: Node) => {
    const reader = onlyReader(node);
    return reader?.operation.kind === "view" && !copies.has(reader) ? onlyReader(reader) : reader;
  };

  for (const start of nodes) {
    if (start.operation.kind !== "matmul" || start.dtype !== "float32") continue;
    const { transposeA, transposeB } = start.operation;
    const [inputA, inputB] = start.inputs as [Node, Node];
    const a = readFactor(inputA, copies), b = readFactor(inputB, copies);
    let node = start, bias: Operand | null = null, onto: Node | null = null;
    let rounded: HalfType | null = null;
    for (let next = onlyReader(node); next !== undefined; next = onlyReader(node)) {
      const { operation, inputs } = next;
      if (matmuls.has(next) || absorbed.has(next)) break; // the other term of this sum absorbs this one
      const rounding = onto === null ? roundingOf(next) : null;
      if (rounding !== null) {
        if (rounded !== null) break;
        rounded = rounding;
        absorbed.add(node);
        node = next;
        continue;
      }
      if (operation.kind !== "binary" || operation.name !== "add" || inputs[0] === inputs[1]) break;
      const other = inputs[0] === node ? inputs[1] : inputs[0];
      if (other === undefined || other.operation.kind === "constant") break;
      const term = resolveOperand(other, copies);
      const isBias = bias === null && onto === null && rounded === null;
      if (isBias && isRowVector(term, node.shape)) bias = term;
      else if (onto === null && canAddOnto(term, next)) onto = term.base;
      else break;
      absorbed.add(node);
      node = next;
    }
    const shape = start.shape;
    const half = a.half && b.half;
    const rounds = rounded === "bfloat16" && onto === null;
    const sumsRoundedTo = rounds ? null : rounded;
    matmuls.set(node, {
      ...{ node, factors: [inputA, inputB] as const },
      ...{ a: a.operand, b: b.operand, shapeA: inputA.shape, shapeB: inputB.shape },
      ...{ transposeA, transposeB, shape, bias, onto, half, rounds, sumsRoundedTo },
      permuted: null,
    });
  }
  // Inputs (weights) are rounded when the matrix product packs them.
  for (const node of nodes) {
    if (!isRounding(node) || node.inputs[0]?.operation.kind !== "leaf" || outputs.has(node)) {
      continue;
    }
    const users = (readers.get(node) ?? []).flatMap((reader) =>
      reader.operation.kind === "view" && !copies.has(reader) ? readers.get(reader) ?? [] : [reader]
    );
    if (users.every(({ operation }) => operation.kind === "matmul")) absorbed.add(node);
  }
  for (const matmul of matmuls.values()) {
    if (outputs.has(matmul.node) || matmul.onto !== null) continue;
    matmul.permuted = findPermutation(matmul, readers.get(matmul.node) ?? [], copies);
  }
  return { matmuls, absorbed };

  /** True if `sum` can be computed in the memory of the term onto which it accumulates. */
  function canAddOnto({ base, view }: Operand, sum: Node): boolean {
    if (!isContiguous(view, sizeOf(sum.shape)) || base.dtype !== "float32") return false;
    if (base.operation.kind === "leaf") return targets.get(sum) === base;
    if (base.operation.kind === "data" || isRounding(base) || matmuls.get(base)?.rounds) {
      return false;
    }
    if (targets.has(base) || targets.has(sum)) return false;
    return onlyUser(base) === sum && sizeOf(base.shape) === sizeOf(sum.shape);
  }
}

/** A factor of a product. A given value that only needs rounding is read without a copy. */
function readFactor(node: Node, copies: ReadonlySet<Node>): { operand: Operand; half: boolean } {
  const operand = resolveOperand(node, copies);
  if (!isRounding(operand.base)) return { operand, half: false };
  const given = operand.base.inputs[0];
  return given?.operation.kind === "leaf"
    ? { operand: { base: given, view: operand.view }, half: true }
    : { operand, half: true };
}

/** True if an operand is one float32 row, repeated for every row of a matrix. */
function isRowVector({ base, view }: Operand, shape: readonly number[]): boolean {
  if (shape.length !== 2 || base.dtype !== "float32" || isRounding(base)) return false;
  const axes = splitView(view, shape);
  if (axes === null || view.offset !== 0) return false;
  const [rows = [], columns = []] = axes;
  const [only, more] = columns;
  if (shape[1] !== sizeOf(base.shape) || more !== undefined) return false;
  return rows.every(({ stride }) => stride === 0) && (shape[1] === 1 || only?.stride === 1);
}

/** The stride of an axis; null if it has several. */
export function strideOf(digits: readonly Digit[]): number | null {
  const [first, second] = digits;
  return second !== undefined ? null : first?.stride ?? 0;
}

/**
 * The placement of elements for a product that is read through one permutation only: the inverse of that
 * permutation, so that readers see contiguous memory.
 */
function findPermutation(
  { node, shape }: Matmul,
  readers: readonly Node[],
  copies: ReadonlySet<Node>,
): View | null {
  const views = readers.map((reader) =>
    reader.operation.kind === "view" && !copies.has(reader) ? reader.operation.view : null
  );
  const [view] = views;
  if (view === undefined || view === null) return null;
  const key = JSON.stringify(view);
  if (!views.every((other) => JSON.stringify(other) === key)) return null;
  const { digits, offset } = view;
  const size = sizeOf(node.shape);
  const count = digits.reduce((product, digit) => product * digit.size, 1);
  if (isContiguous(view, size) || offset !== 0 || count !== size) return null;
  if (digits.some(({ stride }) => stride === 0)) return null;
  // Digits sorted by stride are in the product's own order; their positions in the view are the destinations.
  let place = 1;
  const placed = digits.toReversed().map(({ size, stride }) => {
    const digit = { size, stride, place };
    place *= size;
    return digit;
  });
  placed.sort((a, b) => b.stride - a.stride);
  const inverse: View = {
    digits: placed.map(({ size, place }) => ({ size, stride: place })),
    offset: 0,
  };
  // Rows of the result must stay rows: one stride for each axis, 1 for the last.
  const axes = splitView(inverse, shape);
  if (axes === null || axes.some((digits) => strideOf(digits) === null)) return null;
  return shape.at(-1) === 1 || strideOf(axes.at(-1) ?? []) === 1 ? inverse : null;
}
