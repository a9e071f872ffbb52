/**
 * Measures the limits of the machine with the threads and the compiler of the native executor: peak throughput
 * of matrix product tiles whose operands stay in the L1 cache, and memory bandwidth. The kernels are in
 * `limits.c`.
 * @module
 */
import type { Isa } from "@/engine/options.ts";
import { join } from "node:path";
import { type NativeFeatures, openNativeRuntime } from "@/engine/native/runtime.ts";
import { encodeInstruction } from "@/engine/native/lowering/instruction_table.ts";

/** Limits of the machine, all threads together. */
export type Limits = {
  /** 10⁹ multiplications and additions per second in float32. */
  readonly float32GFlops: number;
  /** The same for bfloat16 operands; null if matrix products convert them to float32. */
  readonly bfloat16GFlops: number | null;
  /** Memory bandwidth, 10⁹ bytes per second of x + y / 2 over large arrays: two are read, one is written. */
  readonly memoryGBytes: number;
  /** The same over arrays that fit the last-level cache, as most activations of a small step do. */
  readonly cacheGBytes: number;
};

/** Maximum of limits measured in several processes; undefined if there are none. */
export function bestLimits(all: readonly Limits[]): Limits | undefined {
  const [first] = all;
  if (first === undefined) return undefined;
  const best = (of: (limits: Limits) => number | null) =>
    Math.max(...all.map((limits) => of(limits) ?? 0));
  return {
    float32GFlops: best(({ float32GFlops }) => float32GFlops),
    bfloat16GFlops: first.bfloat16GFlops === null
      ? null
      : best(({ bfloat16GFlops }) => bfloat16GFlops),
    memoryGBytes: best(({ memoryGBytes }) => memoryGBytes),
    cacheGBytes: best(({ cacheGBytes }) => cacheGBytes),
  };
}

/** Bytes of each of the three arrays for bandwidth measurements. */
const IN_MEMORY = 128 * 2 ** 20, IN_CACHE = 4 * 2 ** 20;

/** Number of runs, of which the fastest counts, and minimum duration of a run. */
const RUNS = 5, RUN_MS = 10;

/** Scratch memory of the kernels in bytes; an upper bound. */
const SCRATCH_BYTES = 16384;

/** Operations per round of `peak_tiles`: 32 × 32 sums over 32 elements. */
const TILES_FLOPS = 2 * 32 * 32 * 32;

/** Operations per round of `peak_float32`; `peak_pairs` has twice as many. */
function countTileFlops({ avx512, avx2 }: NativeFeatures): number {
  const lanes = avx512 ? 16 : avx2 ? 8 : 4, rows = lanes === 16 ? 12 : 6;
  return 2 * rows * (2 * lanes) * 32;
}

/** Measures all limits; takes a second or two. */
export async function measureLimits(
  { threads, isa }: { readonly threads: number; readonly isa: Isa | null },
  nowMs: () => number,
): Promise<Limits> {
  const runtime = await openNativeRuntime({ threads, isa });
  const text = await Deno.readTextFile(join(import.meta.dirname ?? ".", "limits.c"));
  const names = ["peak_float32", "peak_pairs", "peak_tiles", "triad"];
  const [float32 = 0n, pairs = 0n, tiles = 0n, triad = 0n] = await runtime.loadKernels(text, names);
  const blocks = [0, 1, 2].map(() => runtime.allocate(IN_MEMORY));
  for (const { bytes } of blocks) new Float32Array(bytes.buffer).fill(0.7); // touches all pages, so that they are mapped
  const slots = BigUint64Array.from(blocks, ({ pointer }) => Deno.UnsafePointer.value(pointer));

  /** Minimum duration in milliseconds of a kernel over `rows` rows with `rounds` rounds. */
  const time = async (kernel: bigint, rows: number, rounds: number) => {
    const program = runtime.program(encodeKernel(kernel, rows, rounds), SCRATCH_BYTES);
    let least = Infinity;
    for (let run = 0; run < RUNS; run++) {
      const startMs = nowMs();
      await program.run(slots);
      least = Math.min(least, nowMs() - startMs);
    }
    program.release();
    return least;
  };
  /** Throughput in 10⁹ per second, at `amount` per round. Raises the rounds until a run takes {@link RUN_MS}. */
  const rate = async (kernel: bigint, rows: number, amount: number) => {
    let rounds = 1, ms = await time(kernel, rows, rounds);
    while (ms < RUN_MS) ms = await time(kernel, rows, rounds *= 4);
    return amount * rounds / ms / 1e6;
  };
  const multiply = (kernel: bigint, flops: number) =>
    rate(kernel, runtime.threads, flops * runtime.threads);
  const stream = (bytes: number) => rate(triad, bytes / 4, 3 * bytes);

  try {
    const { amx, avx512Bfloat16 } = runtime.features;
    const flops = countTileFlops(runtime.features);
    return {
      float32GFlops: await multiply(float32, flops),
      bfloat16GFlops: amx
        ? await multiply(tiles, TILES_FLOPS)
        : avx512Bfloat16
        ? await multiply(pairs, 2 * flops)
        : null,
      memoryGBytes: await stream(IN_MEMORY),
      cacheGBytes: await stream(IN_CACHE),
    };
  } finally {
    for (const block of blocks) runtime.free(block);
  }
}

/** Encodes a program with one kernel over three slots. */
function encodeKernel(address: bigint, rows: number, rounds: number): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(encodeInstruction({
    ...{ opcode: "kernel", barrier: false, everyChunk: false, address, rows },
    cut: rows < 64 ? 1 : 64,
    places: [0, 1, 2].map((slot) => ({ slot, offset: 0 })),
    numbers: [rounds],
  }));
}
