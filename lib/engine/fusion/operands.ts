/**
 * What nodes read.
 * @module
 */
import type { Node } from "@/engine/ir.ts";
import { identityView, type View } from "@/engine/views.ts";

/** A value in memory or in a group, read through a view. */
export type Operand = { readonly base: Node; readonly view: View };

/** The value underneath a view, unless the view is made real (`copies`). */
export function resolveOperand(node: Node, copies: ReadonlySet<Node>): Operand {
  const [base] = node.inputs;
  if (node.operation.kind === "view" && base !== undefined && !copies.has(node)) {
    return { base, view: node.operation.view };
  }
  return { base: node, view: identityView(node.shape) };
}
