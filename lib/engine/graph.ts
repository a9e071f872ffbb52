/**
 * A graph to be compiled: the nodes that some outputs need, in order, with a key that equal graphs share.
 * @module
 */
import type { Node, Operation } from "@/engine/ir.ts";
import { digest } from "@/engine/tape.ts";

/** A value that a program gives; `target` is the input (by position) that it replaces in place, or null. */
export type GraphOutput = { readonly node: Node; readonly target: number | null };

export type Graph = {
  readonly name: string;
  /** Leaf nodes, in the order in which a program takes them. */
  readonly inputs: readonly Node[];
  readonly outputs: readonly GraphOutput[];
  /** All nodes that the outputs need, operands first. */
  readonly nodes: readonly Node[];
  /**
   * Sizes of axes that belong to the model: they stay the same from batch to batch, so that executors may
   * build them into their code. All other sizes are numbers that code is given.
   */
  readonly modelSizes: ReadonlySet<number>;
};

/** Nodes that `roots` need, operands first: dead code falls away. */
export function reachableNodes(
  roots: readonly Node[],
  inputsOf: (node: Node) => readonly Node[] = ({ inputs }) => inputs,
): Node[] {
  const seen = new Set<Node>(roots);
  const open = [...seen];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const input of inputsOf(node)) {
      if (seen.has(input)) continue;
      seen.add(input);
      open.push(input);
    }
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** A graph of what `outputs` need; inputs that nothing reads are kept, since callers bind by position. */
export function makeGraph(
  name: string,
  inputs: readonly Node[],
  outputs: readonly GraphOutput[],
  modelSizes: ReadonlySet<number> = new Set(),
): Graph {
  const effective = (node: Node) => [...node.inputs, ...node.composite?.inputs ?? []];
  const nodes = reachableNodes(outputs.map(({ node }) => node), effective);
  return { name, inputs, outputs, nodes, modelSizes };
}

/** A text that two graphs share only if the same program serves both. */
export function graphKey({ inputs, outputs, nodes }: Graph): string {
  const numbers = new Map<Node, number>();
  const number = (node: Node) => numbers.get(node);
  const lines: string[] = [];
  inputs.forEach((node, i) => {
    numbers.set(node, i);
    lines.push(`input ${node.dtype} ${node.shape}`);
  });
  for (const node of nodes) {
    if (numbers.has(node)) continue;
    numbers.set(node, numbers.size);
    const { composite } = node;
    const tag = composite
      ? `${composite.op} ${composite.inputs.map(number)} ${composite.output}`
      : "";
    lines.push(
      `${operationKey(node.operation)} ${
        node.inputs.map(number)
      } ${node.dtype} ${node.shape} ${tag}`,
    );
  }
  lines.push(...outputs.map(({ node, target }) => `output ${number(node)} ${target}`));
  return lines.join("\n");
}

function operationKey(operation: Operation): string {
  if (operation.kind === "constant") return `constant ${operation.value} ${1 / operation.value}`;
  if (operation.kind !== "data") return JSON.stringify(operation);
  return `data ${operation.data.length} ${digest(operation.data)}`;
}
