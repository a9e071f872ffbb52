/**
 * Lays code out in memory: persistent operands, and the position of each buffer. Depends on sizes only, not on the
 * graph.
 * @module
 */
import {
  type Buffer,
  type Instruction,
  type PlacedConstant,
  scratchBytesOf,
} from "./instruction.ts";
import type { KernelText } from "@/engine/native/codegen/kernel_texts.ts";
import { type PersistentOperand, planPersistentOperands } from "./persistent_operands.ts";
import { SIZES } from "../abi.ts";
import { planMemory, rootOf } from "./plan_memory.ts";

/** A graph as instructions over buffers that are not placed yet. */
export type DraftCode = {
  readonly instructions: readonly Instruction[];
  /** The kernels by name. */
  readonly kernels: ReadonlyMap<string, KernelText>;
  readonly buffers: readonly Buffer[];
  readonly constants: readonly PlacedConstant[];
  readonly constantBytes: number;
  /** Number of slots: arena, constants, inputs and outputs. */
  readonly slots: number;
  /** Positions of inputs that hold indices into a table of `rows` rows. */
  readonly lookups: readonly { readonly input: number; readonly rows: number }[];
};

/** A graph ready for the runtime, except for the addresses of its kernels. */
export type NativeCode = Omit<DraftCode, "buffers" | "slots"> & {
  /** In the order of their slots, which follow all others. */
  readonly persistent: readonly PersistentOperand[];
  readonly arenaBytes: number;
  /** Scratch memory of each thread, for kernels. */
  readonly scratchBytes: number;
};

/** Code with its memory layout, and the conflicts of that layout. */
type LaidOut = {
  readonly code: NativeCode;
  /** Buffers that an instruction would read after it has overwritten them; the code is invalid if there is one. */
  readonly overwritten: ReadonlySet<Buffer>;
};

/** Lays out the memory of `draft`, filling its buffers in place. */
export function layOutCode(draft: DraftCode): LaidOut {
  const { buffers, slots, ...rest } = draft;
  const { arenaBytes } = planMemory(draft.instructions, buffers);
  const overwritten = new Set(draft.instructions.flatMap(overwrittenTooEarly));
  const scratchBytes = draft.instructions.reduce(
    (most, { scratch }) => Math.max(most, SIZES.scratchHead + scratchBytesOf(scratch)),
    SIZES.scratchHead,
  );
  const code = {
    ...rest,
    arenaBytes,
    scratchBytes,
    ...planPersistentOperands(draft.instructions, slots),
  };
  return { code, overwritten };
}

/** Indices of the result and the bias among a matrix product's pointers. */
const RESULT = 2, BIAS = 3;

/** Buffers that an instruction would read after it has overwritten them. */
function overwrittenTooEarly(
  { opcode, reads, writes, pointers, access, stores, onto }: Instruction,
): Buffer[] {
  return writes.flatMap((written) => {
    const root = rootOf(written);
    const stored = stores.get(written);
    const isAligned = (read: Buffer) => {
      const how = access.get(read);
      return stored !== undefined && how !== undefined && how.aligned && how.readPhase <= stored;
    };
    const isSafe = (read: Buffer) => {
      switch (opcode) {
        case "kernel":
          return isAligned(read);
        case "matmul": {
          if (isOperand(read, root, pointers)) return false;
          if (written !== pointers[RESULT]) return isAligned(read); // by the epilogue
          const own = [written, pointers[BIAS], ...onto.map(([, term]) => term)];
          return own.includes(read);
        }
        case "scatter":
          return !isOperand(read, root, pointers);
        default:
          return false;
      }
    };
    return reads.some((read) => rootOf(read) === root && !isSafe(read)) ? [root] : [];
  });
}

/** True if `read` is a factor of a matrix product, or an index or a row of a scatter, in the memory of `root`. */
function isOperand(read: Buffer, root: Buffer, pointers: readonly (Buffer | null)[]): boolean {
  return pointers.slice(0, 2).some((operand) => operand === read && rootOf(operand) === root);
}
