/**
 * Cuts a lowered graph into units that run one after another. Most units are groups: nodes that share one loop
 * nest, so that intermediate values stay in registers.
 *
 * A group runs as one unit, so no path may leave it and come back. Groups grow, so this is decided from the
 * units' current dependencies (see `reaches`).
 * @module
 */
import type { LoweredGraph } from "./lowering.ts";
import {
  isFlat,
  isFusedReduction,
  reducedCount,
  type Role,
  roleIn,
  rowWidth,
  type Space,
  streamedInputs,
} from "./space.ts";
import type { Node } from "@/engine/ir.ts";
import { isContiguous, sizeOf } from "@/engine/views.ts";

/** Nodes that run as one instruction or loop nest. */
export type Unit = {
  readonly id: number;
  /** `group`: a loop nest over `space`; `single`: one operation that is not part of a nest. */
  readonly kind: "group" | "single";
  nodes: Node[];
  space: Space;
  /** True for purely elementwise work, which can be cut into rows anywhere. */
  flat: boolean;
  roles: Map<Node, Role>;
  /** Units that must run before. */
  dependencies: Set<Unit>;
};

/** A graph cut into units, in no particular order. */
export type FusedGraph = {
  readonly lowered: LoweredGraph;
  readonly units: readonly Unit[];
  /** The unit that computes a node; undefined for a given value. */
  unitOf(node: Node): Unit | undefined;
};

/** Smaller arrays (in elements) are read twice rather than tying groups together. */
const SMALL_ARRAY = 1024;

const ELEMENTWISE: ReadonlySet<string> = new Set([
  "unary",
  "binary",
  "where",
  "cast",
  "gather",
  "dropout-mask",
]);

/** Cuts a graph into units; see the head of the file. */
export function fuseGraph(lowered: LoweredGraph): FusedGraph {
  return new Fuser(lowered).run();
}

/** A unit's dependencies at a given number of merges. */
type Known = { units: Set<Unit>; merges: number };

class Fuser {
  #units = new Set<Unit>();
  #unitOf = new Map<Node, Unit>();
  #known = new Map<Unit, Known>();
  #mergedInto = new Map<Unit, Unit>();
  /** Nodes that read a value in order (streamed), by the value. */
  #streaming = new Map<Node, Node[]>();
  #count = 0;

  constructor(readonly lowered: LoweredGraph) {}

  run(): FusedGraph {
    for (const node of this.lowered.nodes) {
      const fusible = ELEMENTWISE.has(node.operation.kind) || isFusedReduction(node);
      const taken = this.lowered.matmuls.has(node) || this.lowered.scatters.has(node);
      if (taken || !fusible) this.#start(node, "single");
      else if (!this.#join(node)) this.#startGroup(node);
      for (const input of streamedInputs(node)) {
        const { base } = this.lowered.resolve(input);
        const known = this.#streaming.get(base);
        if (known) known.push(node);
        else this.#streaming.set(base, [node]);
      }
    }
    this.#mergeReaders();
    const units = [...this.#units];
    for (const unit of units) unit.dependencies = this.#dependencies(unit);
    return { lowered: this.lowered, units, unitOf: (node) => this.#unitOf.get(node) };
  }

  /** The units whose values a node reads, possibly including its own. */
  #unitsRead(node: Node): Unit[] {
    return this.lowered.basesOf(node).flatMap((base) => this.#unitOf.get(base) ?? []);
  }

  #dependencies(unit: Unit): Set<Unit> {
    const merges = this.#mergedInto.size;
    let known = this.#known.get(unit);
    if (known === undefined) {
      known = { units: new Set(unit.nodes.flatMap((node) => this.#unitsRead(node))), merges };
      known.units.delete(unit);
      this.#known.set(unit, known);
    } else if (known.merges < merges) {
      known.units = new Set([...known.units].map((other) => this.#current(other)));
      known.units.delete(unit);
      known.merges = merges;
    }
    return known.units;
  }

  /** The unit into which a unit was merged. */
  #current(unit: Unit): Unit {
    let current = unit;
    for (let next; (next = this.#mergedInto.get(current)) !== undefined;) current = next;
    return current;
  }

  /** True if any of `from` is `target` or depends on it. */
  #reaches(from: Iterable<Unit>, target: Unit): boolean {
    return reaches(from, target, (unit) => this.#dependencies(unit));
  }

  #start(node: Node, kind: Unit["kind"], space: Space = { rows: 0, columns: 0 }): Unit {
    const unit: Unit = {
      ...{ id: this.#count++, kind, nodes: [node], space, flat: false },
      ...{ roles: new Map(), dependencies: new Set() },
    };
    this.#unitOf.set(node, unit);
    this.#units.add(unit);
    return unit;
  }

  /** Starts a group, or a single unit if no two-dimensional space fits the node. */
  #startGroup(node: Node): void {
    for (const space of this.#spacesOf(node)) {
      const role = roleIn(node, space, { resolve: this.lowered.resolve, roleOf: () => undefined });
      if (role === null) continue;
      const unit = this.#start(node, "group", space);
      unit.roles.set(node, role);
      unit.flat = role === "full" && isFlat(node, this.lowered.resolve);
      return;
    }
    this.#start(node, "single");
  }

  /** Spaces in which a node fits. */
  #spacesOf(node: Node): Space[] {
    const size = sizeOf(node.shape);
    if (isFusedReduction(node)) {
      const count = reducedCount(node);
      return [{ rows: size, columns: count }, { rows: count, columns: size }];
    }
    const columns = (node.operation.kind === "gather" ? rowWidth(node) : node.shape.at(-1)) || 1;
    return [{ rows: size / columns, columns }];
  }

  /** Adds a node to the group of one of its operands; if several fit, they merge. */
  #join(node: Node): boolean {
    const { resolve } = this.lowered;
    const read = this.#unitsRead(node);
    const candidates = new Set(read.filter(({ kind }) => kind === "group"));
    // A node that replaces a leaf without reading it (a zero fill) is placed at the last read of the leaf.
    const target = this.lowered.targets.get(node);
    if (target !== undefined && candidates.size === 0) {
      for (const reader of this.#streaming.get(target) ?? []) {
        const unit = this.#unitOf.get(reader);
        if (unit !== undefined && this.#streams(unit, target)) candidates.add(unit);
      }
    }
    let home: Unit | undefined;
    for (const unit of [...candidates].sort((a, b) => b.id - a.id)) {
      const spaces = unit.flat ? [unit.space, ...this.#spacesOf(node)] : [unit.space];
      for (const space of spaces) {
        if (space.rows * space.columns !== unit.space.rows * unit.space.columns) continue;
        const roleOf = (base: Node) => unit.roles.get(base);
        const role = roleIn(node, space, { resolve, roleOf });
        if (role === null) continue;
        if (home !== undefined) {
          this.#merge(home, unit);
          break;
        }
        const others = read.filter((other) => other !== unit);
        if (this.#reaches(others, unit)) continue;
        unit.nodes.push(node);
        unit.roles.set(node, role);
        this.#unitOf.set(node, unit);
        const known = this.#dependencies(unit);
        for (const other of others) known.add(other);
        const staysFlat = unit.flat && role === "full" && isFlat(node, resolve);
        if (!staysFlat || space.rows !== unit.space.rows) unit.space = space;
        unit.flat = staysFlat;
        home = unit;
        break;
      }
    }
    return home !== undefined;
  }

  /** True if a group streams all of `base`. */
  #streams({ kind, nodes, space }: Unit, base: Node): boolean {
    if (kind !== "group") return false;
    const size = space.rows * space.columns;
    return nodes.some((node) =>
      streamedInputs(node).some((input) => {
        const operand = this.lowered.resolve(input);
        return operand.base === base && isContiguous(operand.view, size);
      })
    );
  }

  /** Merges two groups if they share a space, no path connects them through others, and all nodes still fit. */
  #merge(a: Unit, b: Unit): void {
    if (a === b || a.kind !== "group" || b.kind !== "group") return;
    let space = a.space;
    if (a.space.rows !== b.space.rows || a.space.columns !== b.space.columns) {
      if (a.space.rows * a.space.columns !== b.space.rows * b.space.columns) return;
      if (a.flat) space = b.space;
      else if (!b.flat) return;
    }
    const beyond = (from: Unit, other: Unit) =>
      [...this.#dependencies(from)].filter((unit) => unit !== other);
    if (this.#reaches(beyond(b, a), a) || this.#reaches(beyond(a, b), b)) return;
    const roles = new Map([...a.roles, ...b.roles]);
    const placement = { resolve: this.lowered.resolve, roleOf: (node: Node) => roles.get(node) };
    const nodes = [...a.nodes, ...b.nodes].sort((x, y) => x.id - y.id);
    if (nodes.some((node) => roleIn(node, space, placement) !== roles.get(node))) return;
    a.nodes = nodes;
    a.roles = roles;
    a.space = space;
    a.flat &&= b.flat;
    for (const node of b.nodes) this.#unitOf.set(node, a);
    this.#units.delete(b);
    const known = this.#dependencies(a);
    for (const other of this.#dependencies(b)) known.add(other);
    this.#known.delete(b);
    this.#mergedInto.set(b, a);
  }

  /** Merges groups of one space that read the same large array, so that it is read once. */
  #mergeReaders(): void {
    const readers = new Map<Node, Set<Node>>();
    for (const unit of this.#units) {
      if (unit.kind !== "group") continue;
      const size = unit.space.rows * unit.space.columns;
      for (const node of unit.nodes) {
        for (const input of streamedInputs(node)) {
          const { base, view } = this.lowered.resolve(input);
          if (this.#unitOf.get(base) === unit || sizeOf(base.shape) <= SMALL_ARRAY) continue;
          if (!isContiguous(view, size)) continue;
          const known = readers.get(base);
          if (known) known.add(node);
          else readers.set(base, new Set([node]));
        }
      }
    }
    for (const nodes of readers.values()) {
      const list = [...nodes];
      for (const [i, x] of list.entries()) {
        for (const y of list.slice(i + 1)) {
          const a = this.#unitOf.get(x), b = this.#unitOf.get(y);
          if (a !== undefined && b !== undefined && a !== b) this.#merge(a, b);
        }
      }
    }
  }
}

/** True if any of `from` is `target` or needs it, directly or through others. */
export function reaches<Unit>(
  from: Iterable<Unit>,
  target: Unit,
  neededBy: (unit: Unit) => Iterable<Unit>,
): boolean {
  const seen = new Set<Unit>(from);
  const open = [...seen];
  for (let unit = open.pop(); unit !== undefined; unit = open.pop()) {
    if (unit === target) return true;
    for (const next of neededBy(unit)) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
}
