/**
 * Placement of nodes in a loop nest over R rows and C columns.
 *
 * Inside a group a value is `full` (one for each row and column), `row` (one for each row: a reduction over the
 * columns, or arithmetic on such) or `column` (one for each column: a sum over all rows, available only when
 * the whole group has run).
 * @module
 */
import type { Node } from "@/engine/ir.ts";
import type { Operand } from "@/engine/fusion/operands.ts";
import { strideOf } from "@/engine/fusion/matmuls.ts";
import { isContiguous, sizeOf, splitView } from "@/engine/views.ts";

/** The extent of a value inside a group; see the head of the file. */
export type Role = "full" | "row" | "column";
/** Sizes of a group's loops. */
export type Space = { readonly rows: number; readonly columns: number };

/** The group around a node. */
type Placement = {
  readonly resolve: (node: Node) => Operand;
  /** The role of a node of the group; undefined for a value in memory. */
  readonly roleOf: (node: Node) => Role | undefined;
};

/** True for nodes that read operands by index, or none: their operands do not stream with the loops. */
export function isGenerated({ operation }: Node): boolean {
  return operation.kind === "gather" || operation.kind === "dropout-mask";
}

/** True for reductions that a loop nest can compute. */
export function isFusedReduction({ operation }: Node): boolean {
  return operation.kind === "reduce" &&
    (operation.name === "sum" || operation.name === "max" || operation.name === "min");
}

/** Operands that stream with the loops. */
export function streamedInputs(node: Node): readonly Node[] {
  if (isGenerated(node)) return [];
  return node.inputs.filter(({ operation }) => operation.kind !== "constant");
}

/** Number of elements in a row that a gather reads. */
export function rowWidth({ inputs: [table] }: Node): number {
  return sizeOf(table?.shape.slice(1) ?? []);
}

/** Number of elements that one result of a reduction covers. */
export function reducedCount({ operation, inputs: [x] }: Node): number {
  if (operation.kind !== "reduce" || x === undefined) throw new Error("internal: not a reduction");
  return sizeOf(operation.axes.map((axis) => x.shape[axis] as number));
}

/** True if an operand is one element, repeated. */
export function isOneElement({ base, view }: Operand): boolean {
  return sizeOf(base.shape) === 1 || view.digits.every(({ stride }) => stride === 0);
}

/** True if a node uses only whole arrays and single elements, so that any factorization R · C of its size fits. */
export function isFlat(node: Node, resolve: Placement["resolve"]): boolean {
  return !isGenerated(node) && streamedInputs(node).every((input) => {
    const operand = resolve(input);
    return isContiguous(operand.view, sizeOf(node.shape)) || isOneElement(operand);
  });
}

/** True if an operand is available at (row, column) of a space. */
export function hasFullAccess(
  operand: Operand,
  { rows, columns }: Space,
  { roleOf }: Placement,
): boolean {
  const { base, view } = operand;
  const role = roleOf(base);
  if (role === "full") return isContiguous(view, rows * columns);
  if (role === "column") return false;
  const axes = splitView(view, [rows, columns]);
  if (axes === null) return false;
  const [down = [], across = []] = axes;
  const stride = strideOf(across);
  if (role === undefined) return stride === 0 || stride === 1;
  // One value for each row: rows in order, constant along the columns.
  const inOrder = rows === 1 || (strideOf(down) === 1 && down[0]?.size === rows);
  return stride === 0 && inOrder && view.offset === 0;
}

/** True if an operand is available at a row of a space. */
function hasRowAccess({ base, view }: Operand, { rows }: Space, { roleOf }: Placement): boolean {
  const role = roleOf(base);
  if (role !== undefined) return role === "row" && isContiguous(view, rows);
  return splitView(view, [rows]) !== null;
}

/** The role of a node in a space with a given group; null if it does not fit. */
export function roleIn(node: Node, space: Space, placement: Placement): Role | null {
  const { rows, columns } = space;
  const { operation, inputs, shape } = node;
  const size = sizeOf(shape);
  const full = (input: Node) => hasFullAccess(placement.resolve(input), space, placement);
  if (operation.kind === "reduce") {
    const [x] = inputs;
    if (x === undefined || !isFusedReduction(node)) return null;
    const { axes, name } = operation;
    const count = reducedCount(node);
    const last = axes.every((axis, i) => axis === x.shape.length - axes.length + i) || size === 1;
    const first = axes.every((axis, i) => axis === i);
    if (last && count === columns && size === rows && full(x)) return "row";
    const isColumnSum = first && name === "sum" && node.dtype === "float32";
    if (isColumnSum && size === columns && count === rows && rows > 1 && full(x)) return "column";
    return null;
  }
  // Values read by index must be complete in memory before the group runs.
  const fromGroup = (input: Node) => placement.roleOf(placement.resolve(input).base) !== undefined;
  if (isGenerated(node) && inputs.some(fromGroup)) return null;
  if (operation.kind === "gather") {
    const numbered = splitView(placement.resolve(inputs[1] as Node).view, [rows]) !== null;
    return numbered && size === rows * columns && columns === rowWidth(node) ? "full" : null;
  }
  if (operation.kind === "dropout-mask") {
    return size === rows * columns && columns === (shape.at(-1) ?? 1) ? "full" : null;
  }
  const streamed = streamedInputs(node);
  if (size === rows * columns && streamed.every(full)) return "full";
  const atRow = (input: Node) => hasRowAccess(placement.resolve(input), space, placement);
  return size === rows && streamed.every(atRow) ? "row" : null;
}
