/**
 * The instruction table that the runtime runs: a stream of 64-bit words, ten of head and then pointers and
 * numbers for each instruction. A barrier stands only where an instruction touches bytes that others wrote
 * since the last one, or writes bytes that others read.
 * @module
 */
import { ARENA_SLOT, type Buffer, type Instruction, OPCODES } from "@/engine/native/instruction.ts";
import { rootOf } from "@/engine/native/plan_memory.ts";
import { PASS_KINDS } from "@/engine/profile.ts";

/** Words before an instruction's pointers. */
const HEAD_WORDS = 10;

const KINDS = Object.keys(PASS_KINDS);

/** Bytes [start, end) of a slot. */
type Range = { readonly slot: number; readonly start: number; readonly end: number };

/** Where a buffer lies. */
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

/** Encodes instructions; `addresses` are those of the kernels by name. */
export function encodeTable(
  instructions: readonly Instruction[],
  addresses: ReadonlyMap<string, bigint>,
): { readonly words: BigInt64Array<ArrayBuffer>; readonly barriers: number } {
  const words: bigint[] = [];
  let written: Range[] = [], read: Range[] = [], barriers = 0;
  instructions.forEach((instruction, i) => {
    const { opcode, kind, rows, cut, kernel, everyThread, pointers, shifts, numbers } = instruction;
    const reads = instruction.reads.map(rangeOf), writes = instruction.writes.map(rangeOf);
    const barrier = i > 0 &&
      (overlap(reads, written) || overlap(writes, written) || overlap(writes, read));
    if (barrier) {
      written = [];
      read = [];
      barriers++;
    }
    written.push(...writes);
    read.push(...reads);
    const address = kernel === null ? 0n : addresses.get(kernel);
    if (address === undefined) throw new Error(`internal: kernel ${kernel} was not loaded`);
    const length = HEAD_WORDS + pointers.length + numbers.length;
    words.push(
      ...[length, OPCODES[opcode], Number(barrier), KINDS.indexOf(kind)].map(BigInt),
      ...[pointers.length, numbers.length, rows, cut].map(BigInt),
      address,
      BigInt(everyThread),
    );
    pointers.forEach((buffer, k) => {
      if (buffer === null) return words.push(-1n);
      const { slot, offset } = placeOf(buffer);
      return words.push((BigInt(slot) << 48n) + BigInt(offset + (shifts[k] ?? 0)));
    });
    for (const number of numbers) words.push(BigInt.asIntN(64, BigInt(number)));
  });
  return { words: BigInt64Array.from(words), barriers };
}
