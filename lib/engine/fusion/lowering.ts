/**
 * Lowering for fusion: views become operands, matrix products absorb their surroundings, outputs become values of
 * their own. Nothing here depends on a target.
 * @module
 */
import type { Graph } from "@/engine/graph.ts";
import type { DType, Node } from "@/engine/ir.ts";
import { findMatmuls, findScatters, type Matmul, type Scatter } from "@/engine/fusion/matmuls.ts";
import { type Operand, resolveOperand } from "@/engine/fusion/operands.ts";
import { composeViews, type View } from "@/engine/views.ts";

/** Storage types of values in memory; in registers all values are float32. */
export type Storage = "float32" | "bfloat16" | "int32" | "bool";
/** Bytes of one stored element. */
export const STORAGE_BYTES = {
  float32: 4,
  bfloat16: 2,
  int32: 4,
  bool: 1,
} as const satisfies Record<
  Storage,
  number
>;

/** An output of the program. */
type LoweredOutput = {
  readonly node: Node;
  /** The leaf in whose memory it is computed; null: none. */
  readonly target: Node | null;
  /** The leaf that it is copied to at the end; null: none. */
  readonly copiedTo: Node | null;
};

/** Changes that an earlier attempt to compile has shown to be necessary. */
type Revisions = {
  /** Views that must be materialized. */
  readonly copies: ReadonlySet<Node>;
  /** Leaves that are replaced by a copy at the end, because a node reads them after they would be overwritten. */
  readonly detached: ReadonlySet<Node>;
};

/** No changes: the first attempt. */
const NO_REVISIONS: Revisions = { copies: new Set(), detached: new Set() };

/** A graph as fusion and printers see it: the nodes that compute, and their operands. */
export type LoweredGraph = {
  readonly name: string;
  readonly inputs: readonly Node[];
  readonly outputs: readonly LoweredOutput[];
  /** Leaves by the nodes that replace them. */
  readonly targets: ReadonlyMap<Node, Node>;
  /** Nodes that compute, operands first; without views, constants, leaves and absorbed nodes. */
  readonly nodes: readonly Node[];
  readonly matmuls: ReadonlyMap<Node, Matmul>;
  readonly scatters: ReadonlyMap<Node, Scatter>;
  /** Views that must be materialized. */
  readonly copies: ReadonlySet<Node>;
  /** The operand behind `node`: memory or a value of the group, read through a view. */
  resolve(node: Node): Operand;
  /** Nodes that a node reads from memory or from its group, without constants. */
  basesOf(node: Node): readonly Node[];
  /** One view that equals a view of a view of memory. */
  compose(outer: View, inner: View): View;
  /** Sizes that belong to the model and not to the batch; see `Graph`. */
  readonly modelSizes: ReadonlySet<number>;
  /** Leaves of persistent inputs that the program does not replace; see `Graph`. */
  readonly persistent: ReadonlySet<Node>;
};

const NO_MATMULS: ReadonlyMap<Node, Matmul> = new Map();

/** Storage type of a node's value; without `matmuls`, as if no matrix product absorbed it. */
export function storageOf(
  node: Node,
  matmuls: ReadonlyMap<Node, Matmul> = NO_MATMULS,
): Storage {
  const { operation, dtype } = node;
  if (matmuls.get(node)?.rounds) return "bfloat16";
  if (operation.kind === "unary" && operation.name === "round-bfloat16") return "bfloat16";
  if (operation.kind === "view" && node.inputs[0]) return storageOf(node.inputs[0], matmuls);
  return dtype satisfies DType;
}

function compose(outer: View, inner: View): View {
  const composed = composeViews(outer, inner);
  if (composed === null) {
    throw new Error("internal: a permuted matrix product is read across its axes");
  }
  return composed;
}

/** True if a node is in memory before the program runs. */
export function isGiven({ operation }: Node): boolean {
  return operation.kind === "leaf" || operation.kind === "data";
}

/** Lowers a graph. The result's nodes are the graph's own, except wrapped outputs. */
export function lowerForFusion(graph: Graph, revisions: Revisions = NO_REVISIONS): LoweredGraph {
  let id = graph.nodes.reduce((most, node) => Math.max(most, node.id), -1);
  const taken = new Set<Node>();
  const wrapped: Node[] = [];
  const outputs = graph.outputs.map(({ node, target }): LoweredOutput => {
    const leaf = target === null ? null : graph.inputs[target];
    if (leaf === undefined) throw new Error(`internal: ${graph.name} has no input ${target}`);
    const { kind } = node.operation;
    let own = node;
    if (
      taken.has(node) || kind === "leaf" || kind === "view" || kind === "constant" ||
      kind === "data" || storageOf(node) === "bfloat16"
    ) {
      const { shape, dtype } = node; // an output needs a separate value: a cast to its own type
      own = { id: ++id, operation: { kind: "cast" }, inputs: [node], shape, dtype };
      wrapped.push(own);
    }
    taken.add(own);
    const isDetached = leaf !== null && revisions.detached.has(leaf);
    return { node: own, target: isDetached ? null : leaf, copiedTo: isDetached ? leaf : null };
  });

  const replaced = new Set(graph.outputs.map(({ target }) => target));
  const nodes = [...graph.nodes, ...wrapped];
  // A view of a view that does not compose reads memory, so the inner view is materialized.
  const copies = new Set(revisions.copies);
  for (const { operation, inputs: [base] } of nodes) {
    if (operation.kind === "view" && base?.operation.kind === "view") copies.add(base);
  }
  const targets = new Map(outputs.flatMap(({ node, target }) => target ? [[node, target]] : []));
  const surroundings = { targets, outputs: taken, copies };
  const { matmuls, absorbed } = findMatmuls(nodes, surroundings);
  const { scatters, absorbed: scattered } = findScatters(nodes, surroundings);
  const resolve = remember((node: Node): Operand => {
    const { base, view } = resolveOperand(node, copies);
    const permuted = matmuls.get(base)?.permuted ?? null;
    return { base, view: permuted === null ? view : compose(view, permuted) };
  });
  const basesOf = (node: Node): readonly Node[] => {
    const matmul = matmuls.get(node);
    if (matmul !== undefined) {
      const { a, b, bias, onto } = matmul;
      return [a.base, b.base, ...(bias ? [bias.base] : []), ...(onto ? [onto] : [])];
    }
    const scatter = scatters.get(node);
    if (scatter !== undefined) {
      const operands = scatter.scatter.inputs.map((input) => resolve(input).base);
      return scatter.onto ? [...operands, scatter.onto] : operands;
    }
    return node.inputs.filter(({ operation }) => operation.kind !== "constant")
      .map((input) => resolve(input).base);
  };
  return {
    name: graph.name,
    inputs: graph.inputs,
    outputs,
    targets,
    nodes: nodes.filter((node) => {
      const { kind } = node.operation;
      if (
        absorbed.has(node) || scattered.has(node) || kind === "leaf" || kind === "constant" ||
        kind === "data"
      ) {
        return false;
      }
      return kind !== "view" || copies.has(node);
    }),
    matmuls,
    scatters,
    copies,
    resolve,
    basesOf: remember(basesOf),
    compose,
    modelSizes: graph.modelSizes,
    persistent: new Set(graph.inputs.filter((_, i) => graph.persistent.has(i) && !replaced.has(i))),
  };
}

/** `find` with its results cached by node. */
function remember<T>(find: (node: Node) => T): (node: Node) => T {
  const known = new Map<Node, T>();
  return (node) => {
    let found = known.get(node);
    if (found === undefined) {
      found = find(node);
      known.set(node, found);
    }
    return found;
  };
}
