/**
 * The instruction table of the runtime: a stream of 64-bit words, for each instruction its head (`abi.ts`), pointers
 * and numbers. There is a barrier only before an instruction that uses bytes that others have written
 * since the last barrier, or writes bytes that others have read.
 * @module
 */
import { ARENA_SLOT, type Buffer, type Instruction } from "./instruction.ts";
import { rootOf } from "./plan_memory.ts";
import { HEAD, HEAD_WORDS, KERNEL_FLAGS, OPCODES, SIZES } from "../abi.ts";

/** Bytes [start, end) of a slot. */
type Range = { readonly slot: number; readonly start: number; readonly end: number };

/** The slot and offset of a buffer. */
export function placeOf(buffer: Buffer): { readonly slot: number; readonly offset: number } {
  const root = rootOf(buffer);
  return root.given ?? { slot: ARENA_SLOT, offset: root.offset };
}

function rangeOf(buffer: Buffer): Range {
  const { slot, offset } = placeOf(buffer);
  return { slot, start: offset, end: offset + Math.max(buffer.bytes, rootOf(buffer).bytes) };
}

function overlap(some: readonly Range[], others: readonly Range[]): boolean {
  return some.some((a) =>
    others.some((b) => a.slot === b.slot && a.start < b.end && b.start < a.end)
  );
}

/** An instruction with known memory positions. */
type PlacedInstruction =
  & Pick<Instruction, "opcode" | "rows" | "cut" | "everyChunk" | "numbers">
  & {
    /** True if all threads wait for each other before it. */
    readonly barrier: boolean;
    /** The kernel's address, or 0. */
    readonly address: bigint;
    /** Slot and byte offset of each pointer; null: none. */
    readonly places: readonly ({ readonly slot: number; readonly offset: number } | null)[];
  };

/** The words of one instruction. */
export function encodeInstruction(
  { opcode, barrier, rows, cut, everyChunk, address, places, numbers }: PlacedInstruction,
): readonly bigint[] {
  const length = HEAD_WORDS + places.length + numbers.length;
  const words: Readonly<Record<keyof typeof HEAD, number | bigint>> = {
    ...{ length, opcode: OPCODES[opcode], barrier: Number(barrier) },
    ...{ pointers: places.length, numbers: numbers.length, rows, unit: cut, kernel: address },
    flags: everyChunk ? KERNEL_FLAGS.everyChunk : 0,
  };
  const head = (Object.keys(HEAD) as (keyof typeof HEAD)[]).map((name) => BigInt(words[name]));
  return [
    ...head,
    ...places.map((place) =>
      place === null ? -1n : (BigInt(place.slot) << BigInt(SIZES.slotShift)) + BigInt(place.offset)
    ),
    ...numbers.map((number) => BigInt.asIntN(64, BigInt(number))),
  ];
}

/** Whether there is a barrier before each instruction; see the head of the file. */
export function findBarriers(instructions: readonly Instruction[]): readonly boolean[] {
  let written: Range[] = [], read: Range[] = [];
  return instructions.map((instruction, i) => {
    const reads = instruction.reads.map(rangeOf), writes = instruction.writes.map(rangeOf);
    const barrier = i > 0 &&
      (overlap(reads, written) || overlap(writes, written) || overlap(writes, read));
    if (barrier) {
      written = [];
      read = [];
    }
    written.push(...writes);
    read.push(...reads);
    return barrier;
  });
}

/** Encodes instructions; `addresses` are the kernels' addresses by name. */
export function encodeTable(
  instructions: readonly Instruction[],
  addresses: ReadonlyMap<string, bigint>,
): { readonly words: BigInt64Array<ArrayBuffer>; readonly barriers: number } {
  const barriers = findBarriers(instructions);
  const words = instructions.flatMap((instruction, i) => {
    const { kernel, pointers, shifts } = instruction;
    const address = kernel === null ? 0n : addresses.get(kernel);
    if (address === undefined) throw new Error(`internal: kernel ${kernel} was not loaded`);
    const places = pointers.map((buffer, k) => {
      if (buffer === null) return null;
      const { slot, offset } = placeOf(buffer);
      return { slot, offset: offset + (shifts[k] ?? 0) };
    });
    return encodeInstruction({ ...instruction, barrier: barriers[i] ?? false, address, places });
  });
  return { words: BigInt64Array.from(words), barriers: barriers.filter(Boolean).length };
}
