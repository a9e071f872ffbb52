/**
 * Rewrites graphs node by node.
 * @module
 */
import type { Graph } from "@/engine/graph.ts";
import type { DType, Node, Operation } from "@/engine/ir.ts";

/** Makes a node of the rewritten graph. */
export type MakeNode = (
  operation: Operation,
  inputs: readonly Node[],
  shape: readonly number[],
  dtype: DType,
) => Node;

/** Gives the new node for `node`, whose operands have been rewritten to `inputs`. */
type NodeRewrite = (node: Node, inputs: readonly Node[], make: MakeNode) => Node;

/** A new graph of rewritten nodes. A node keeps its composite unless it is replaced by another node. */
export function rewriteGraph(graph: Graph, rewrite: NodeRewrite): Graph {
  const renewed = new Map<Node, Node>();
  const nodes: Node[] = [];
  let id = 0, from = 0, region: Pick<Node, "region"> = {};
  const make: MakeNode = (operation, inputs, shape, dtype) => {
    const node: Node = { id: id++, operation, inputs, shape, dtype, from, ...region };
    nodes.push(node);
    return node;
  };
  const renew = (node: Node) => renewed.get(node) ?? node;
  for (const node of graph.nodes) {
    from = node.id;
    region = node.region === undefined ? {} : { region: node.region };
    renewed.set(node, rewrite(node, node.inputs.map(renew), make));
  }
  // Composites last: they may name operands that were recorded after the node they stand for.
  for (const [{ operation, composite }, result] of renewed) {
    if (composite === undefined || result.operation !== operation) continue;
    result.composite = { ...composite, inputs: composite.inputs.map(renew) };
  }
  return {
    ...graph,
    nodes,
    inputs: graph.inputs.map(renew),
    outputs: graph.outputs.map(({ node, target }) => ({ node: renew(node), target })),
  };
}

/** The node once more, over rewritten operands. */
export function copyNode(node: Node, inputs: readonly Node[], make: MakeNode): Node {
  return make(node.operation, inputs, node.shape, node.dtype);
}
