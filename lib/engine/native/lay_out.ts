/**
 * The last steps from instructions to a program: which operands are kept from run to run, and where each
 * buffer lies. Depends on sizes alone, not on the graph.
 * @module
 */
import {
  type Buffer,
  type Instruction,
  type PlacedConstant,
  scratchBytesOf,
} from "@/engine/native/instruction.ts";
import {
  type PersistentOperand,
  planPersistentOperands,
} from "@/engine/native/plan_persistent_operands.ts";
import { planMemory, rootOf } from "@/engine/native/plan_memory.ts";

/** Bytes of a thread's scratch before its rows. */
const SCRATCH_HEAD = 64;

/** A graph as instructions over buffers that have no place yet. */
export type DraftCode = {
  readonly instructions: readonly Instruction[];
  /** Bodies of the kernels by name. */
  readonly kernels: ReadonlyMap<string, string>;
  readonly buffers: readonly Buffer[];
  readonly constants: readonly PlacedConstant[];
  readonly constantBytes: number;
  /** Slots of the arena, the constants, inputs and outputs. */
  readonly slots: number;
  /** Inputs (by position) that hold row numbers of a table of `rows` rows. */
  readonly lookups: readonly { readonly input: number; readonly rows: number }[];
};

/** A graph ready for the runtime, but for the addresses of its kernels. */
export type NativeCode = Omit<DraftCode, "buffers" | "slots"> & {
  /** In the order of their slots, which come after all others. */
  readonly persistent: readonly PersistentOperand[];
  readonly arenaBytes: number;
  /** Each thread's, for kernels. */
  readonly scratchBytes: number;
};

/** Code with its memory laid out, or what stands in the way. */
export type LaidOut = {
  readonly code: NativeCode;
  /** Memory of which an instruction would read elements after it has written them: the code is wrong. */
  readonly overwritten: ReadonlySet<Buffer>;
};

/** Lays out the memory of `draft`, whose buffers are filled in, in place. */
export function layOutCode(draft: DraftCode): LaidOut {
  const { buffers, slots, ...rest } = draft;
  const { arenaBytes } = planMemory(draft.instructions, buffers);
  const overwritten = new Set(draft.instructions.flatMap(overwrittenTooEarly));
  const scratchBytes = draft.instructions.reduce(
    (most, { scratch }) => Math.max(most, SCRATCH_HEAD + scratchBytesOf(scratch)),
    SCRATCH_HEAD,
  );
  const code = {
    ...rest,
    arenaBytes,
    scratchBytes,
    ...planPersistentOperands(draft.instructions, slots),
  };
  return { code, overwritten };
}

/** Numbers of the result and the bias among a product's pointers. */
const RESULT = 2, BIAS = 3;

/** Memory of which an instruction would read elements after it has written them. */
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

/** Whether `read` is a factor of a product, or rows or numbers of a scatter, that lies at `root`. */
function isOperand(read: Buffer, root: Buffer, pointers: readonly (Buffer | null)[]): boolean {
  return pointers.slice(0, 2).some((operand) => operand === read && rootOf(operand) === root);
}
