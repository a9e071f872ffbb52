/**
 * Names in generated C. A value is named for its operation and its position in the kernel (`exp_2`); a kernel for the
 * regions of the function that its operations belong to (`softmax_backward`), or for the operations themselves.
 *
 * No name depends on a node's number, on a size or on the program, so that equal kernels of all programs have equal
 * texts and are compiled once; see `kernel_texts.ts`.
 * @module
 */
import type { LoopNest } from "../../fusion/nest.ts";
import type { Node } from "../../ir.ts";
import { splitView } from "../../views.ts";

/** Number of parts of a kernel's name. */
const MOST_PARTS = 4;

/** Parts that say what a kernel does to its operands, beside the regions. */
const STRUCTURE: ReadonlySet<string> = new Set(["gather", "bias", "dropout", "column_sum"]);

/** The operation of a node in words, such as `row max`; `role` is its role in the kernel. */
export function nameOperation(node: Node, { roleOf }: Pick<LoopNest, "roleOf">): string {
  const { operation } = node;
  switch (operation.kind) {
    case "unary":
    case "binary":
      return operation.name;
    case "reduce":
      return `${roleOf(node) === "column" ? "column" : "row"} ${operation.name}`;
    default:
      return operation.kind;
  }
}

/** Words as an identifier. */
const identifier = (words: string) => words.toLowerCase().replace(/[^a-z0-9]+/g, "_");

/** The names of a kernel's values by node. */
export function nameValues(nest: LoopNest): ReadonlyMap<Node, string> {
  return new Map(
    nest.nodes.map((node, i) => [node, `${identifier(nameOperation(node, nest))}_${i}`]),
  );
}

/** What a kernel computes, as an identifier. */
export function nameKernel(nest: LoopNest): string {
  const parts = new Map<string, "region" | "structure" | "operation">();
  for (const node of nest.nodes) {
    const part = identifier(node.region ?? namePart(node, nest));
    if (part === "" || parts.has(part)) continue;
    const kind = STRUCTURE.has(part) ? "structure" : "operation";
    parts.set(part, node.region === undefined ? kind : "region");
  }
  // a backward pass that computes values of the forward pass again
  const all = [...parts.keys()].filter((part) => !parts.has(`${part}_backward`));
  const join = (words: readonly string[]) => words.join("_").replace(/^(?=[0-9])/, "kernel_");
  if (all.length <= MOST_PARTS) return join(all) || "copy";
  const isNamed = [...parts.values()].includes("region");
  const telling = isNamed ? all.filter((part) => parts.get(part) !== "operation") : all;
  return join(telling.slice(0, MOST_PARTS));
}

/** A node of no region in a kernel's name; empty for conversions. */
function namePart(node: Node, nest: LoopNest): string {
  const { operation, inputs } = node;
  if (operation.kind === "cast" || nameOperation(node, nest).startsWith("round-")) return "";
  const isMask = ({ operation: { kind } }: Node) => kind === "dropout-mask";
  if (isMask(node) || inputs.some(isMask)) return "dropout";
  const isSum = operation.kind === "binary" && operation.name === "add";
  return isSum && inputs.some((input) => isOneRow(input, nest))
    ? "bias"
    : nameOperation(node, nest);
}

/** True for one row in memory that is repeated for every row of the kernel. */
function isOneRow(input: Node, { resolve, roleOf, space: { rows, columns } }: LoopNest): boolean {
  if (input.operation.kind === "constant" || rows === 1 || columns === 1) return false;
  const { base, view } = resolve(input);
  if (roleOf(base) !== undefined) return false;
  const [down = [], across = []] = splitView(view, [rows, columns]) ?? [];
  return across.some(({ stride }) => stride !== 0) && down.every(({ stride }) => stride === 0);
}
