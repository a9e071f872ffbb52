/**
 * A graph to compile: the nodes that some outputs need, in order, and a key that equal graphs share.
 * @module
 */
import { createHash } from "node:crypto";
import type { Node, Operation } from "@/engine/ir.ts";
import { keepNumbers } from "@/engine/tape.ts";

/** An output of a program; `target` is the position of the input that it replaces in place, or null. */
export type GraphOutput = { readonly node: Node; readonly target: number | null };

/** A computation: outputs as nodes over inputs. */
export type Graph = {
  readonly name: string;
  /** Leaf nodes, in the order of the program's inputs. */
  readonly inputs: readonly Node[];
  readonly outputs: readonly GraphOutput[];
  /** All nodes that the outputs need, operands first. */
  readonly nodes: readonly Node[];
  /**
   * Sizes of axes that belong to the model. They stay the same from batch to batch, so executors may compile
   * them into code. All other sizes are arguments of the code.
   */
  readonly modelSizes: ReadonlySet<number>;
  /**
   * Positions of inputs that are the same memory at every call, as a variable's is. An executor may cache data
   * derived from them; `Memory.writes` tells when they have changed.
   */
  readonly persistent: ReadonlySet<number>;
};

/** Nodes that `roots` need, operands first; dead code is dropped. */
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

/** Facts about a graph's inputs beyond their shapes. */
type GraphHints = Partial<Pick<Graph, "modelSizes" | "persistent">>;

/** The graph of `outputs`. Inputs that no node reads stay, since callers bind inputs by position. */
export function makeGraph(
  name: string,
  inputs: readonly Node[],
  outputs: readonly GraphOutput[],
  { modelSizes = new Set(), persistent = new Set() }: GraphHints = {},
): Graph {
  const effective = (node: Node) => [...node.inputs, ...node.composite?.inputs ?? []];
  const nodes = reachableNodes(outputs.map(({ node }) => node), effective);
  return { name, inputs, outputs, nodes, modelSizes, persistent };
}

/** SHA-256 of everything that a program depends on: graphs with equal keys can share one program. */
export function graphKey({ inputs, outputs, nodes, persistent }: Graph): string {
  const numbers = new Map<Node, number>();
  const number = (node: Node) => numbers.get(node);
  const lines: string[] = [];
  inputs.forEach((node, i) => {
    numbers.set(node, i);
    lines.push(`input ${node.dtype} ${node.shape}${persistent.has(i) ? " persistent" : ""}`);
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
  return sha256(lines.join("\n"));
}

const sha256 = (of: string | Uint8Array) => createHash("sha256").update(of).digest("hex");

function operationKey(operation: Operation): string {
  if (operation.kind !== "data") return JSON.stringify(operation, keepNumbers);
  const { buffer, byteOffset, byteLength, length } = operation.data;
  return `data ${length} ${sha256(new Uint8Array(buffer, byteOffset, byteLength))}`;
}
