/**
 * Rewrites that make a graph fuse better.
 * @module
 */
import type { Graph } from "@/engine/graph.ts";
import type { Node } from "@/engine/ir.ts";
import { copyNode, rewriteGraph } from "@/engine/rewrite_graph.ts";
import { sizeOf } from "@/engine/views.ts";

/** Elements above which a sum over everything is made in two steps. */
const LARGE_SUM = 4096;

/**
 * Gives every reader of a dropout mask a mask of its own, so that it is computed again where it is used
 * and never kept from the forward to the backward pass; and sums over all elements by rows first, which all threads share.
 */
export function prepareForFusion(graph: Graph): Graph {
  return rewriteGraph(graph, (node, inputs, make) => {
    const { operation, shape, dtype } = node;
    const own = inputs.map((input): Node =>
      input.operation.kind === "dropout-mask"
        ? make(input.operation, input.inputs, input.shape, input.dtype)
        : input
    );
    const [x] = own;
    if (operation.kind === "reduce" && operation.name === "sum" && x !== undefined) {
      const rows = x.shape.slice(0, -1);
      const all = operation.axes.length === x.shape.length;
      if (all && rows.length > 0 && sizeOf(x.shape) > LARGE_SUM && sizeOf(rows) > 1) {
        const last = { kind: "reduce", name: "sum", axes: [rows.length] } as const;
        const sums = make(last, [x], rows, dtype);
        return make({ ...last, axes: [...rows.keys()] }, [sums], shape, dtype);
      }
    }
    return copyNode(node, own, make);
  });
}
