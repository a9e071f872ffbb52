/**
 * The order of units: recording order, except that a unit that frees memory comes earlier and an epilogue
 * comes right after its matrix product. An epilogue is a loop nest that runs on a matrix product's rows while these are
 * still in a cache: GELU and its gradient, dropout with the residual sum and layer norm, the softmax of scores.
 * @module
 */
import { lookUp } from "@/engine/errors.ts";
import { type LoweredGraph, STORAGE_BYTES, storageOf } from "./lowering.ts";
import { type FusedGraph, reaches, type Unit } from "./fuse.ts";
import type { Node } from "@/engine/ir.ts";
import { isContiguous, sizeOf } from "@/engine/views.ts";
import { isGenerated } from "./space.ts";

/** Units in execution order, with the values that each leaves in memory. */
export type Schedule = {
  readonly order: readonly Unit[];
  /** Nodes of a unit whose values other units or the caller read from memory. */
  exportsOf(unit: Unit): ReadonlySet<Node>;
  /**
   * Nodes that replace a leaf which a unit can only read afterwards. They are written elsewhere and copied at the
   * end.
   */
  readonly staged: ReadonlySet<Node>;
};

/** Priorities above the recording order. */
const FREES_MEMORY = 1e9, FOLLOWS = 1e12;

/** Orders units by their dependencies; throws on a cycle, which fusion must not create. */
export function scheduleUnits(fused: FusedGraph): Schedule {
  const { lowered, units, unitOf } = fused;
  const readers = new Map<Node, Set<Unit>>();
  const inputs = new Map<Unit, Set<Node>>();
  for (const unit of units) {
    const own = new Set<Node>();
    for (const node of unit.nodes) {
      for (const base of lowered.basesOf(node)) {
        if (unitOf(base) === unit) continue;
        own.add(base);
        const known = readers.get(base);
        if (known) known.add(unit);
        else readers.set(base, new Set([unit]));
      }
    }
    inputs.set(unit, own);
  }
  const outputs = new Set(lowered.outputs.map(({ node }) => node));
  const exportsOf = (unit: Unit) =>
    new Set(unit.nodes.filter((node) => readers.has(node) || outputs.has(node)));

  // A reader of a leaf runs before the unit that replaces it, unless the reader needs that unit's results.
  const staged = new Set<Node>();
  const before = new Map(units.map((unit) => [unit, new Set(unit.dependencies)]));
  for (const [node, target] of lowered.targets) {
    const writer = unitOf(node);
    if (writer === undefined) continue;
    const others = [...readers.get(target) ?? []].filter((unit) => unit !== writer);
    if (reaches(others, writer, (unit) => lookUp(before, unit, "a unit"))) {
      staged.add(node);
      continue;
    }
    for (const unit of others) lookUp(before, writer, "a unit").add(unit);
  }

  const bytes = (node: Node) =>
    sizeOf(node.shape) * STORAGE_BYTES[storageOf(node, lowered.matmuls)];
  const allocates = new Map(
    units.map((unit) => [unit, [...exportsOf(unit)].filter((node) => !lowered.targets.has(node))]),
  );
  const place = new Map(units.map((unit) => [unit, Math.max(...unit.nodes.map(({ id }) => id))]));
  const left = new Map([...readers].map(([node, set]) => [node, set.size]));
  const waiting = new Map(units.map((unit) => [unit, lookUp(before, unit, "a unit").size]));
  const after = new Map<Unit, Unit[]>(units.map((unit) => [unit, []]));
  for (const [unit, needed] of before) {
    for (const other of needed) lookUp(after, other, "a unit").push(unit);
  }

  const growth = (unit: Unit) => {
    let sum = 0;
    for (const node of lookUp(allocates, unit, "a unit")) sum += bytes(node);
    for (const base of inputs.get(unit) ?? []) {
      if (unitOf(base) !== undefined && left.get(base) === 1) sum -= bytes(base);
    }
    return sum;
  };
  const ready = units.filter((unit) => waiting.get(unit) === 0);
  const order: Unit[] = [];
  while (ready.length > 0) {
    const last = order.at(-1);
    let best = 0, bestKey = Infinity;
    ready.forEach((unit, i) => {
      const follows = last !== undefined && canFollow(last, unit, lowered);
      const rank = follows ? FOLLOWS : growth(unit) <= 0 ? FREES_MEMORY : 0;
      const key = lookUp(place, unit, "a unit's place") - rank;
      if (key < bestKey) [best, bestKey] = [i, key];
    });
    const [unit] = ready.splice(best, 1) as [Unit];
    order.push(unit);
    for (const base of inputs.get(unit) ?? []) {
      left.set(base, lookUp(left, base, "a node's readers") - 1);
    }
    for (const next of lookUp(after, unit, "a unit")) {
      const count = lookUp(waiting, next, "what a unit waits for") - 1;
      waiting.set(next, count);
      if (count === 0) ready.push(next);
    }
  }
  if (order.length !== units.length) {
    throw new Error(`internal: a cycle, ${order.length} of ${units.length} units were placed`);
  }
  return { order, exportsOf, staged };
}

/**
 * True if `next`, a group that is ready once `unit` has run, can be the epilogue of `unit`, a matrix product:
 * both have the same rows, and the group reads only elements of the product in those rows.
 */
export function canFollow(unit: Unit, next: Unit, lowered: LoweredGraph): boolean {
  const [node] = unit.nodes;
  const matmul = node && lowered.matmuls.get(node);
  if (matmul === undefined || matmul.permuted !== null || next.kind !== "group") return false;
  const size = sizeOf(matmul.shape), columns = matmul.shape.at(-1) ?? 1;
  const { rows, columns: width } = next.space;
  if (rows * width !== size || !(next.flat || width === columns)) return false;
  let reads = 0;
  for (const reader of next.nodes) {
    for (const input of reader.inputs) {
      if (input.operation.kind === "constant") continue;
      const { base, view } = lowered.resolve(input);
      if (base !== node) continue;
      if (isGenerated(reader) || !isContiguous(view, size)) return false;
      reads++;
    }
  }
  return reads > 0;
}
