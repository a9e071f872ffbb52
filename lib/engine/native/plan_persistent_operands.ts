/**
 * Which products keep their second operand packed from run to run: those of few rows by a weight that lasts.
 * @module
 */
import {
  type Buffer,
  type Instruction,
  makeBuffer,
  MATMUL_FLAGS,
} from "@/engine/native/instruction.ts";

/**
 * Rows of a product up to which packing a weight takes about as long as multiplying with it, or longer:
 * below that it is worth its memory to be kept packed.
 */
const FEW_ROWS = 128;

/** Numbers and pointers that every product has, in the order of `gemm.h`. */
const MATMUL_NUMBERS = 17, MATMUL_POINTERS = 4;
/** Places of numbers among them. */
const ROWS = 0, COLUMNS = 1, INNER = 2, FLAGS = 3, ROW_B = 6, COLUMN_B = 7;

/** Memory that outlives runs, in which a product keeps its second operand the way it reads it. */
export type PersistentOperand = {
  readonly buffer: Buffer;
  /** The input (by position) that is kept. */
  readonly input: number;
  /** The numbers of such a product, from which the runtime knows how much memory it takes. */
  readonly numbers: readonly number[];
  /** Products of equal keys keep an input in the same form. */
  readonly key: string;
};

/** The instructions, products of few rows keeping their weights; slots from `firstSlot` on are theirs. */
export function planPersistentOperands(
  instructions: readonly Instruction[],
  firstSlot: number,
): {
  readonly instructions: readonly Instruction[];
  readonly persistent: readonly PersistentOperand[];
} {
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
    if (persistent === null || Number(numbers[ROWS]) > FEW_ROWS) return instruction;
    const own = numbers.slice(0, MATMUL_NUMBERS).map(Number);
    const flags = (own[FLAGS] as number) | MATMUL_FLAGS.keep;
    own[FLAGS] = flags;
    const form = flags & ~(MATMUL_FLAGS.a | MATMUL_FLAGS.onto); // what the form of B depends on
    const key = `${[own[COLUMNS], own[INNER], form, own[ROW_B], own[COLUMN_B], shifts[1]]}`;
    return {
      ...instruction,
      numbers: numbers.with(FLAGS, flags),
      pointers: pointers.toSpliced(MATMUL_POINTERS, 0, bufferFor(persistent, own, key)),
      shifts: shifts.toSpliced(MATMUL_POINTERS, 0, 0),
    };
  });
  return { instructions: changed, persistent };
}
