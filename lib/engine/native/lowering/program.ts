/**
 * A decoded instruction table, which runs on memory given at each call.
 * @module
 */
import { RefusalError } from "@/engine/errors.ts";
import { HEAD, HEAD_WORDS, SIZES } from "../abi.ts";
import type { RuntimeSymbols } from "../runtime_symbols.ts";

/** A program in the runtime; its memory is allocated until `release`. */
export type NativeProgram = {
  /** Number of memory blocks of a run: one more than the largest slot of the table. */
  readonly slots: number;
  /**
   * Runs off the main thread on the blocks at the addresses `slots`. The blocks must remain allocated until the promise
   * settles. Rejects with a RefusalError with `cause` `{ instruction }` if an index of an instruction was out of range.
   */
  run(slots: BigUint64Array<ArrayBuffer>): Promise<void>;
  /** {@link run}, blocking. */
  runSync(slots: BigUint64Array<ArrayBuffer>): void;
  /**
   * Seconds of each instruction, and the part of them spent in its epilogue, summed over the runs since the last
   * reset.
   */
  times(reset: boolean): { readonly instructions: Float64Array; readonly epilogues: Float64Array };
  /** Frees the memory, after a run that is under way. */
  release(): void;
};

/** Counts the instructions and slots of a table that the runtime has accepted. */
function measure(words: BigInt64Array): { readonly instructions: number; readonly slots: number } {
  let instructions = 0, slots = 0;
  for (let at = 0; at < words.length; at += Number(words[at + HEAD.length])) {
    const pointers = Number(words[at + HEAD.pointers]);
    for (const place of words.subarray(at + HEAD_WORDS, at + HEAD_WORDS + pointers)) {
      if (place >= 0n) slots = Math.max(slots, Number(place >> BigInt(SIZES.slotShift)) + 1);
    }
    instructions++;
  }
  return { instructions, slots };
}

/** Decodes a table; throws a RangeError if it is malformed. */
export function createProgram(
  symbols: RuntimeSymbols,
  words: BigInt64Array<ArrayBuffer>,
  { scratchBytes, threads }: { readonly scratchBytes: number; readonly threads: number },
): NativeProgram {
  const pointer = symbols.rt_program(
    new Uint8Array(words.buffer, words.byteOffset, words.byteLength),
    BigInt(words.length),
    BigInt(scratchBytes),
  );
  if (pointer === null) {
    throw new RangeError(
      `Cannot decode a program: its table is malformed or does not fit in memory (` +
        `${words.length} words, ${scratchBytes} bytes of scratch for each of ${threads} threads)`,
    );
  }
  const { instructions, slots: needed } = measure(words);
  let running = 0, released = false;
  const freeWhenIdle = () => {
    if (released && running === 0) symbols.rt_release(pointer);
  };
  const check = (slots: BigUint64Array<ArrayBuffer>) => {
    if (released) throw new Error("Cannot run a program that was released");
    if (slots.length < needed) {
      throw new RangeError(
        `Cannot run a program as it needs ${needed} slots: current number is ${slots.length}`,
      );
    }
    return new Uint8Array(slots.buffer, slots.byteOffset, slots.byteLength);
  };
  return {
    slots: needed,
    async run(slots) {
      const bytes = check(slots);
      running++;
      try {
        checkFault(await symbols.rt_run_beside(pointer, bytes));
      } finally {
        running--;
        freeWhenIdle();
      }
    },
    runSync(slots) {
      checkFault(symbols.rt_run(pointer, check(slots)));
    },
    times(reset) {
      const seconds = new Float64Array(2 * instructions);
      symbols.rt_times(pointer, new Uint8Array(seconds.buffer), reset ? 1n : 0n);
      return {
        instructions: seconds.subarray(0, instructions),
        epilogues: seconds.subarray(instructions),
      };
    },
    release() {
      if (released) return;
      released = true;
      freeWhenIdle();
    },
  };
}

function checkFault(code: bigint): void {
  if (code === 0n) return;
  const instruction = Number(code) - 1;
  throw new RefusalError(
    `Cannot run instruction ${instruction} as an index is out of range for its table`,
    { cause: { instruction } },
  );
}
