/**
 * Compiles a graph to instructions: fusion, schedule, kernels, memory; everything before the C compiler.
 * @module
 */
import { lookUp, UnsupportedError } from "@/engine/errors.ts";
import type { Graph } from "@/engine/graph.ts";
import { findNoncontiguousViews } from "@/engine/fusion/noncontiguous_views.ts";
import { type FusedGraph, fuseGraph, type Unit } from "@/engine/fusion/fuse.ts";
import { type LoweredGraph, lowerForFusion, STORAGE_BYTES } from "@/engine/fusion/lowering.ts";
import { prepareForFusion } from "@/engine/fusion/prepare.ts";
import { canFollow, type Schedule, scheduleUnits } from "@/engine/fusion/schedule_units.ts";
import type { Node } from "@/engine/ir.ts";
import {
  type Access,
  type Buffer,
  BufferTable,
  type Instruction,
  makeInstruction,
} from "@/engine/native/lowering/instruction.ts";
import { KernelTexts } from "@/engine/native/codegen/kernel_texts.ts";
import { type DraftCode, layOutCode, type NativeCode } from "@/engine/native/lowering/lay_out.ts";
import { type LoweringContext, lowerUnit } from "@/engine/native/lowering/lower_unit.ts";
import { rootOf } from "@/engine/native/lowering/plan_memory.ts";
import { isContiguous, sizeOf } from "@/engine/views.ts";

/** A graph as code, with and without its memory layout. */
export type CompiledGraph = {
  readonly code: NativeCode;
  readonly draft: DraftCode;
  /** The graph after `prepareForFusion`, and its units. */
  readonly prepared: Graph;
  readonly fused: FusedGraph;
  readonly schedule: Schedule;
};

/** Compiles a graph to instructions for `threads` threads; throws {@link UnsupportedError}. */
export function compileGraph(graph: Graph, threads: number): CompiledGraph {
  const prepared = prepareForFusion(graph);
  const copies = new Set<Node>(), detached = new Set<Node>();
  for (;;) {
    // Most graphs compile at the first attempt. Each failed attempt adds to the sets, so the loop ends.
    const known = copies.size + detached.size;
    const compiled = tryToCompile(prepared, threads, { copies, detached });
    if (compiled !== null) return compiled;
    if (copies.size + detached.size === known) {
      throw new UnsupportedError("an operation that reads what it overwrites");
    }
  }
}

/** The code of a graph; null if nodes had to be added to `copies` or `detached` (in place) for another attempt. */
function tryToCompile(
  graph: Graph,
  threads: number,
  { copies, detached }: { readonly copies: Set<Node>; readonly detached: Set<Node> },
): CompiledGraph | null {
  const lowered = lowerForFusion(graph, { copies, detached });
  const fused = fuseGraph(lowered);
  const noncontiguous = findNoncontiguousViews(fused);
  for (const view of noncontiguous) copies.add(view);
  if (noncontiguous.length > 0) return null;
  const schedule = scheduleUnits(fused);
  for (const node of schedule.staged) {
    detached.add(lookUp(lowered.targets, node, `the target of node ${node.id}`));
  }
  if (schedule.staged.size > 0) return null;
  const buffers = new BufferTable(lowered);
  const kernels = new KernelTexts();
  const context: LoweringContext = {
    ...{ lowered, buffers, kernels, threads },
    exportsOf: (unit) => schedule.exportsOf(unit),
  };
  const instructions = [
    ...lowerUnits(schedule.order, context),
    ...lowered.outputs.flatMap(({ node, copiedTo }) =>
      copiedTo === null ? [] : [copyBuffer(node, buffers.of(node), buffers.of(copiedTo))]
    ),
  ];
  for (const { node } of lowered.outputs) buffers.of(node);
  const { all, constants, constantBytes, slots } = buffers;
  const draft: DraftCode = {
    ...{ instructions, kernels: kernels.all, buffers: all, constants, constantBytes, slots },
    lookups: findLookups(lowered),
  };
  const { code, overwritten } = layOutCode(draft);
  for (const leaf of lowered.targets.values()) {
    if (overwritten.has(rootOf(buffers.of(leaf)))) detached.add(leaf);
  }
  return overwritten.size > 0 ? null : { code, draft, prepared: graph, fused, schedule };
}

/** Copies all elements of a value. */
function copyBuffer(origin: Node, from: Buffer, to: Buffer): Instruction {
  return makeInstruction({
    ...{ opcode: "copy", kind: "other", origin, pointers: [from, to], reads: [from], writes: [to] },
    numbers: [STORAGE_BYTES[from.storage], 0, 1, sizeOf(origin.shape), 1],
  });
}

/**
 * Gathers whose indices are an entire input. These indices are checked before each call; for all other gathers,
 * the kernels report an index out of range.
 */
function findLookups(
  { nodes, inputs, resolve }: LoweredGraph,
): { input: number; rows: number }[] {
  return nodes.flatMap(({ operation, inputs: [table, indices] }) => {
    if (operation.kind !== "gather" || table === undefined || indices === undefined) return [];
    const { base, view } = resolve(indices);
    const size = sizeOf(base.shape);
    if (sizeOf(indices.shape) !== size || !isContiguous(view, size)) return [];
    const input = inputs.indexOf(base);
    return input < 0 ? [] : [{ input, rows: table.shape[0] ?? 0 }];
  });
}

/**
 * The instructions of units in their order. A matrix product whose next unit can be its epilogue becomes one
 * instruction with it.
 */
function lowerUnits(order: readonly Unit[], context: LoweringContext): Instruction[] {
  const instructions: Instruction[] = [];
  for (let i = 0; i < order.length; i++) {
    const unit = order[i] as Unit, next = order[i + 1];
    instructions.push(...lowerUnit(unit, context));
    if (next === undefined || !canFollow(unit, next, context.lowered)) continue;
    const matmul = instructions.pop() as Instruction;
    const [kernel, ...combine] = lowerUnit(next, context) as [Instruction];
    instructions.push(withEpilogue(matmul, kernel, next), ...combine);
    i++;
  }
  return instructions;
}

/** A matrix product with a kernel as its epilogue. */
function withEpilogue(matmul: Instruction, kernel: Instruction, { flat }: Unit): Instruction {
  const [result] = matmul.writes as [Buffer];
  // The product reads its operands at other rows too, while the epilogue writes.
  const operands = matmul.reads.map((buffer): [Buffer, Access] => [
    buffer,
    { aligned: false, readPhase: Infinity },
  ]);
  const shape = matmul.origin.shape;
  const columns = shape.at(-1) ?? 1;
  return {
    ...matmul,
    rows: sizeOf(shape) / columns,
    cut: flat ? columns : 1,
    kernel: kernel.kernel,
    kernelNodes: kernel.kernelNodes,
    everyChunk: kernel.everyChunk,
    scratch: kernel.scratch,
    pointers: [...matmul.pointers, ...kernel.pointers],
    shifts: [...matmul.shifts, ...kernel.shifts],
    numbers: [...matmul.numbers, ...kernel.numbers],
    reads: [...new Set([...matmul.reads, ...kernel.reads])],
    writes: [...new Set([result, ...kernel.writes])],
    access: new Map([...kernel.access, ...operands]),
    stores: kernel.stores,
    epilogue: { kind: kernel.kind, countWork: kernel.countWork },
  };
}
