/**
 * Persistent operands: weights that stay packed between runs as second operands of matrix products of few rows. They are
 * packed once, and again only after the weight has changed.
 * @module
 */
import type { Memory } from "@/engine/memory.ts";
import type { NativeBlock, NativeRuntime } from "@/engine/native/runtime.ts";
import { MATMUL_FLAGS, MATMUL_NUMBERS, SIZES } from "../abi.ts";
import { type Buffer, type Instruction, makeBuffer } from "./instruction.ts";

/** Memory for a packed weight, and its state. */
type PersistentBlock = {
  readonly block: NativeBlock;
  /** `Memory.writes` of the weight when it was packed; null: not packed yet. */
  packed: number | null;
};

/** The blocks of all programs by weight; a block is freed with its weight. */
export class PersistentOperands {
  #blocks = new WeakMap<Memory, Map<string, PersistentBlock>>();
  #forgotten: FinalizationRegistry<NativeBlock>;

  constructor(readonly runtime: Pick<NativeRuntime, "allocate" | "free">) {
    this.#forgotten = new FinalizationRegistry((block) => runtime.free(block));
  }

  /** The block for a weight packed in the form `key`, which takes `bytes`. */
  blockOf(weight: Memory, key: string, bytes: number): PersistentBlock {
    const forms = this.#blocks.get(weight) ?? new Map<string, PersistentBlock>();
    this.#blocks.set(weight, forms);
    const known = forms.get(key);
    if (known !== undefined) return known;
    const made = { block: this.runtime.allocate(bytes), packed: null };
    this.#forgotten.register(weight, made.block);
    forms.set(key, made);
    return made;
  }

  /** Marks a weight as packed or not, for the products of the coming run. */
  announce({ block, packed }: PersistentBlock, { writes }: Memory): void {
    block.bytes[0] = packed === writes ? 1 : 0;
  }
}

/**
 * Number of rows up to which packing a weight takes about as long as the product itself, so that a packed copy is
 * worth its memory.
 */
const FEW_ROWS = 128;

/** Persistent memory for the packed second operand of a matrix product. */
export type PersistentOperand = {
  readonly buffer: Buffer;
  /** The position of the input that is packed. */
  readonly input: number;
  /** The numbers of such a product, from which the runtime computes the size of the memory. */
  readonly numbers: readonly number[];
  /** Products with equal keys share the packed form of an input. */
  readonly key: string;
};

/** The instructions with persistent operands, whose slots start at `firstSlot`. */
export function planPersistentOperands(
  instructions: readonly Instruction[],
  firstSlot: number,
): {
  readonly instructions: readonly Instruction[];
  readonly persistent: readonly PersistentOperand[];
} {
  const { m, n, k, flags: flagsAt, rowB, columnB } = MATMUL_NUMBERS;
  const persistent: PersistentOperand[] = [];
  const bufferFor = (input: number, numbers: readonly number[], key: string): Buffer => {
    const known = persistent.find((other) => other.input === input && other.key === key);
    if (known !== undefined) return known.buffer;
    const given = { slot: firstSlot + persistent.length, offset: 0 };
    const buffer = makeBuffer({ bytes: 0, storage: "float32", given });
    persistent.push({ buffer, input, numbers, key });
    return buffer;
  };
  const changed = instructions.map((instruction): Instruction => {
    const { persistent, numbers, pointers, shifts } = instruction;
    if (persistent === null || Number(numbers[m]) > FEW_ROWS) return instruction;
    const own = numbers.slice(0, Object.keys(MATMUL_NUMBERS).length).map(Number);
    const flags = (own[flagsAt] as number) | MATMUL_FLAGS.persistentB;
    own[flagsAt] = flags;
    const form = flags & ~(MATMUL_FLAGS.aBf16 | MATMUL_FLAGS.accumulate); // the flags that affect the packed form of B
    const key = `${[own[n], own[k], form, own[rowB], own[columnB], shifts[1]]}`;
    return {
      ...instruction,
      numbers: numbers.with(flagsAt, flags),
      pointers: pointers.toSpliced(SIZES.matmulPointers, 0, bufferFor(persistent, own, key)),
      shifts: shifts.toSpliced(SIZES.matmulPointers, 0, 0),
    };
  });
  return { instructions: changed, persistent };
}
