/**
 * The loop nest of a group, for any printer. It determines the phase in which each value is computed.
 *
 * The loop over rows is cut into phases at the row reductions: phase p computes everything that needs no
 * reduction beyond the p-th. Layer norm has three phases (mean, variance, result), softmax three. A full value
 * that a later phase reads is stored in a row of scratch memory.
 * @module
 */
import { lookUp } from "@/engine/errors.ts";
import type { Unit } from "@/engine/fusion/fuse.ts";
import { isFusedReduction, isGenerated, type Role, type Space } from "@/engine/fusion/space.ts";
import type { Operand } from "@/engine/fusion/operands.ts";
import type { Node } from "@/engine/ir.ts";

/** A group with the phase of each node. */
export type LoopNest = {
  readonly unit: Unit;
  readonly space: Space;
  readonly flat: boolean;
  readonly nodes: readonly Node[];
  readonly resolve: (node: Node) => Operand;
  roleOf(node: Node): Role | undefined;
  /** The phase that computes a node's value. */
  phaseOf(node: Node): number;
  /** The phase whose loop over columns reads a node's operands. */
  readingPhase(node: Node): number;
  readonly phases: number;
  /** Nodes whose values are stored in memory. */
  readonly exported: ReadonlySet<Node>;
  /** True if a full value is read in a later phase than the one that computes it. */
  isKept(node: Node): boolean;
};

/** The surroundings of a group. */
type NestContext = {
  readonly resolve: (node: Node) => Operand;
  /** Nodes whose values are stored in memory. */
  readonly exported: ReadonlySet<Node>;
  /** Leaves by the nodes that replace them. */
  readonly targets: ReadonlyMap<Node, Node>;
};

/** Assigns the nodes of a group to phases. */
export function layOutNest(
  unit: Unit,
  { resolve, exported, targets }: NestContext,
): LoopNest {
  const { nodes, roles } = unit;
  const phase = new Map<Node, number>();
  const uses = new Map<Node, Node[]>();
  const isRowReduction = (node: Node) => roles.get(node) === "row" && isFusedReduction(node);
  const inside = (node: Node): Node[] => {
    if (isGenerated(node)) return [];
    return node.inputs.filter(({ operation }) => operation.kind !== "constant")
      .map((input) => resolve(input).base).filter((base) => roles.has(base));
  };
  const phaseOf = (node: Node) => lookUp(phase, node, `the phase of node ${node.id}`);
  const readingPhase = (node: Node) => phaseOf(node) - (isRowReduction(node) ? 1 : 0);

  for (const node of nodes) {
    const operands = inside(node);
    for (const base of operands) {
      const known = uses.get(base);
      if (known) known.push(node);
      else uses.set(base, [node]);
    }
    const latest = Math.max(0, ...operands.map(phaseOf));
    phase.set(node, latest + (isRowReduction(node) ? 1 : 0));
  }
  // A full value computed from memory and row values sinks to the first phase that reads it: computing it there is
  // free, storing it across a phase is not.
  for (const node of nodes.toReversed()) {
    const readers = uses.get(node) ?? [];
    if (roles.get(node) !== "full" || exported.has(node) || readers.length === 0) continue;
    if (inside(node).some((base) => roles.get(base) === "full")) continue;
    phase.set(node, Math.max(phaseOf(node), Math.min(...readers.map(readingPhase))));
  }
  // A leaf is replaced once no node of the group reads its old elements.
  for (const node of nodes) {
    const leaf = targets.get(node);
    if (leaf === undefined || roles.get(node) !== "full" || uses.has(node)) continue;
    const reads = nodes.filter((other) =>
      !isGenerated(other) && other.inputs.some((input) => resolve(input).base === leaf)
    );
    phase.set(node, Math.max(phaseOf(node), ...reads.map(readingPhase)));
  }
  return {
    ...{ unit, nodes, resolve, exported, phaseOf, readingPhase },
    space: unit.space,
    flat: unit.flat,
    roleOf: (node) => roles.get(node),
    phases: 1 + Math.max(...nodes.map(phaseOf)),
    isKept: (node) => (uses.get(node) ?? []).some((reader) => readingPhase(reader) > phaseOf(node)),
  };
}
