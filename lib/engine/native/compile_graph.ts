/**
 * From a graph to instructions: fusion, schedule, kernels, memory. Everything but the compiler's work.
 * @module
 */
import type { Graph } from "@/engine/graph.ts";
import { fuseGraph } from "@/engine/fusion/fuse.ts";
import { lowerForFusion } from "@/engine/fusion/lowering.ts";
import { prepareForFusion } from "@/engine/fusion/prepare.ts";
import { scheduleUnits } from "@/engine/fusion/schedule.ts";
import type { Node } from "@/engine/ir.ts";
import { type Buffer, BufferTable, type Instruction } from "@/engine/native/instruction.ts";
import { KernelTexts } from "@/engine/native/kernel_texts.ts";
import { type LoweringContext, lowerUnit, UnsupportedError } from "@/engine/native/lower_unit.ts";
import { planMemory, rootOf } from "@/engine/native/plan_memory.ts";

/** A graph ready for the runtime, but for the addresses of its kernels. */
export type NativeCode = {
  readonly instructions: readonly Instruction[];
  readonly kernels: KernelTexts;
  readonly buffers: BufferTable;
  readonly arenaBytes: number;
  /** Inputs (by position) that hold row numbers of a table of `rows` rows. */
  readonly lookups: readonly { readonly input: number; readonly rows: number }[];
};

/** Makes the instructions of a graph for `threads` threads; throws {@link UnsupportedError}. */
export function compileGraph(graph: Graph, threads: number): NativeCode {
  const lowered = lowerForFusion(prepareForFusion(graph));
  const fused = fuseGraph(lowered);
  const schedule = scheduleUnits(fused);
  if (schedule.staged.size > 0) {
    throw new UnsupportedError("a variable that is read after its update");
  }
  const buffers = new BufferTable(lowered);
  const kernels = new KernelTexts();
  const context: LoweringContext = {
    ...{ lowered, buffers, kernels, threads },
    exportsOf: (unit) => schedule.exportsOf(unit),
  };
  const instructions = schedule.order.flatMap((unit) => lowerUnit(unit, context));
  for (const { node } of lowered.outputs) buffers.of(node);
  const { arenaBytes } = planMemory(instructions, buffers.all);
  for (const instruction of instructions) checkInPlace(instruction);
  return {
    ...{ instructions, kernels, buffers, arenaBytes },
    lookups: findLookups(lowered.nodes, lowered.inputs, (node) => lowered.resolve(node).base),
  };
}

/** Refuses an instruction that would read elements after it has written them. */
function checkInPlace({ opcode, reads, writes, pointers, access, stores }: Instruction): void {
  for (const written of writes) {
    const root = rootOf(written);
    for (const read of reads) {
      if (rootOf(read) !== root) continue;
      const aligned = access.get(read);
      const stored = stores.get(written) ?? -1;
      const safe = opcode === "kernel"
        ? aligned !== undefined && aligned.aligned && aligned.readPhase <= stored
        : opcode === "product"
        ? !isFactor(read, root, pointers)
        : opcode === "scatter";
      if (!safe) throw new UnsupportedError("an operation that reads what it overwrites");
    }
  }
}

function isFactor(read: Buffer, root: Buffer, pointers: readonly (Buffer | null)[]): boolean {
  return pointers.slice(0, 2).some((factor) => factor === read && rootOf(factor) === root);
}

/** Gathers and scatters whose row numbers come from outside, so that they can be checked at each call. */
function findLookups(
  nodes: readonly Node[],
  inputs: readonly Node[],
  baseOf: (node: Node) => Node,
): { input: number; rows: number }[] {
  return nodes.flatMap(({ operation, inputs: [table, indices] }) => {
    if (operation.kind !== "gather" || table === undefined || indices === undefined) return [];
    const input = inputs.indexOf(baseOf(indices));
    return input < 0 ? [] : [{ input, rows: table.shape[0] ?? 0 }];
  });
}
