/**
 * Operands of nodes, with views resolved.
 * @module
 */
import type { Node } from "@/engine/ir.ts";
import { identityView, type View } from "@/engine/views.ts";

/** A value in memory or in a group, read through a view. */
export type Operand = { readonly base: Node; readonly view: View };

/** The base value of a view, unless the view is materialized (`copies`). */
export function resolveOperand(node: Node, copies: ReadonlySet<Node>): Operand {
  const [base] = node.inputs;
  if (node.operation.kind === "view" && base !== undefined && !copies.has(node)) {
    return { base, view: node.operation.view };
  }
  return { base: node, view: identityView(node.shape) };
}
