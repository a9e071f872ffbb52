/**
 * Lowers scheduled units to instructions, a matrix product together with its epilogue.
 * @module
 */
import { canFollow } from "../../fusion/epilogues.ts";
import type { Unit } from "../../fusion/fuse.ts";
import type { Access, Buffer, Instruction } from "./instruction.ts";
import { type LoweringContext, lowerUnit } from "./lower_unit.ts";
import { sizeOf } from "../../views.ts";

/**
 * The instructions of units in their order. A matrix product whose next unit can be its epilogue becomes one
 * instruction with it.
 */
export function lowerUnits(order: readonly Unit[], context: LoweringContext): Instruction[] {
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
