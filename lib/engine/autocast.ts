/**
 * Mixed precision as a graph pass. Matrix products take operands rounded to a half type and give a result of
 * that type, including the bias and including gradients of weights. Everything else stays float32. These are
 * the operation lists of PyTorch 2.13's CUDA autocast: linear layers and matrix products in half precision;
 * softmax, layer norm, losses, sums and norms in float32. Matrix products accumulate in float32. Parameters
 * stay float32 and are rounded where a matrix product reads them.
 * @module
 */
import type { Precision } from "@/engine/options.ts";
import type { Graph } from "@/engine/graph.ts";
import type { HalfType, Node } from "@/engine/ir.ts";
import { copyNode, type MakeNode, rewriteGraph } from "@/engine/rewrite_graph.ts";
import { splitView } from "@/engine/views.ts";

/** The graph with its matrix products in a precision. */
export function castGraph(graph: Graph, precision: Precision): Graph {
  switch (precision) {
    case "float32":
      return graph;
    case "mixed-bfloat16":
      return autocast(graph, "bfloat16");
    case "mixed-float16":
      return autocast(graph, "float16");
  }
}

/** The graph with its matrix products in `type`. */
function autocast(graph: Graph, type: HalfType): Graph {
  const readers = new Map<Node, Node[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known) known.push(node);
      else readers.set(input, [node]);
    }
  }
  const outputs = new Set(graph.outputs.map(({ node }) => node));
  const onlyReader = (node: Node) => {
    const [reader, more] = readers.get(node) ?? [];
    return more === undefined && !outputs.has(node) ? reader : undefined;
  };
  const rounded = new Map<Node, Node>();
  const round = (x: Node, make: MakeNode): Node => {
    const { operation, inputs: [base], shape, dtype } = x;
    // The cast is inserted below the view, so that the view remains a view of memory.
    if (operation.kind === "view" && base !== undefined) {
      return make(operation, [round(base, make)], shape, dtype);
    }
    if (operation.kind === "unary" && operation.name === `round-${type}`) return x;
    let half = rounded.get(x);
    if (half === undefined) {
      half = make({ kind: "unary", name: `round-${type}` }, [x], shape, dtype);
      rounded.set(x, half);
    }
    return half;
  };
  return rewriteGraph(graph, (node, inputs, make) => {
    const { operation, dtype } = node;
    if (operation.kind === "matmul" && dtype === "float32") {
      const matmul = copyNode(node, inputs.map((x) => round(x, make)), make);
      const reader = onlyReader(node);
      return reader !== undefined && isBiased(reader) ? matmul : round(matmul, make);
    }
    const result = copyNode(node, inputs, make);
    return isBiased(node) ? round(result, make) : result;
  });

  /** True if a node adds a bias to a matrix product that no other node reads: PyTorch's linear layer. */
  function isBiased(node: Node): boolean {
    return isSum(node) && node.inputs.some((x) => isMatmul(x) && onlyReader(x) === node) &&
      node.inputs.some((x) => isRepeatedRow(x, node.shape));
  }
}

function isSum({ operation }: Node): boolean {
  return operation.kind === "binary" && operation.name === "add";
}

function isMatmul({ operation, dtype }: Node): boolean {
  return operation.kind === "matmul" && dtype === "float32";
}

/** True if a term is one row, repeated for every row of a matrix: a bias. */
function isRepeatedRow({ operation }: Node, shape: readonly number[]): boolean {
  if (operation.kind !== "view" || shape.length !== 2) return false;
  const [rows = []] = splitView(operation.view, shape) ?? [];
  return rows.length > 0 && rows.every(({ stride }) => stride === 0);
}
