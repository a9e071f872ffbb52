/**
 * Partitioning of a kernel's rows among threads: ranges with separate scratch memory, chunks, work stealing.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { SIZES } from "@/engine/native/abi.ts";
import {
  encode,
  KERNEL_HEAD,
  makeTestEach,
  openRuntimes,
  runTable,
  type TestInstruction,
} from "./table_builder.ts";

const KERNELS = `${KERNEL_HEAD}#include <unistd.h>
/* P[0]: for each chunk: first row, end, visits, 1 if the scratch memory is aligned */
KERNEL(note_chunk) {
  int32_t *note = (int32_t *)P[0] + 4 * ((Scratch *)T)->chunk;
  note[0] = (int32_t)r0, note[1] = (int32_t)r1, note[3] = (uintptr_t)T % 64 == 0;
  __atomic_fetch_add(note + 2, 1, __ATOMIC_RELAXED);
  T[N[0] - 1] = 1; /* writes the last byte of the scratch memory */
}
/* P[0][row] counts visits of a row; P[1][chunk]: true if a chunk does not start at a multiple of N[0] rows or is empty; P[2] counts chunks */
KERNEL(note_rows) {
  int32_t *visits = (int32_t *)P[0], *odd = (int32_t *)P[1], chunk = ((Scratch *)T)->chunk;
  for (long i = r0; i < r1; i++) __atomic_fetch_add(visits + i, 1, __ATOMIC_RELAXED);
  odd[chunk] |= r0 % N[0] != 0 || r0 >= r1;
  __atomic_fetch_add((int32_t *)P[2], 1, __ATOMIC_RELAXED);
}
/* The thread with row 0 waits until all other rows are done, at most ten seconds. P[0]: rows done, and 1 after a timeout */
KERNEL(delay) {
  (void)T;
  int32_t *done = (int32_t *)P[0];
  for (long tries = 0; r0 == 0 && __atomic_load_n(done, __ATOMIC_RELAXED) < N[0] - 1; tries++) {
    if (tries > 20000) { done[1] = 1; break; }
    usleep(500);
  }
  for (long i = r0; i < r1; i++) __atomic_fetch_add(done, 1, __ATOMIC_RELAXED);
}`;

const testEach = makeTestEach(await openRuntimes(), {
  text: KERNELS,
  names: ["note_chunk", "note_rows", "delay"],
});

/** Start of the range of thread `t`. */
const rangeStart = (rows: number, unit: number, threads: number, t: number) =>
  t === threads ? rows : Math.floor(rows * t / threads / unit) * unit;

/**
 * First row and end of each chunk of `rows` rows, by thread: about eight per range, cut at units; a single thread has one
 * chunk.
 */
function chunksOf(rows: number, unit: number, threads: number): [number, number][][] {
  const share = Math.ceil(rows / threads);
  const piece = threads === 1 ? share : Math.ceil(Math.ceil(share / 8) / unit) * unit;
  return Array.from({ length: threads }, (_, t) => {
    const from = rangeStart(rows, unit, threads, t), to = rangeStart(rows, unit, threads, t + 1);
    const count = to === from ? 0 : Math.ceil((to - from) / piece);
    return Array.from({ length: count }, (_, i) => {
      const start = from + i * piece;
      return [start, Math.min(start + piece, to)];
    });
  });
}

testEach(
  "kernels that need every chunk get all chunks once, including those without rows",
  async (
    runtime,
    { note_chunk: kernel },
  ) => {
    const { threads } = runtime;
    const note = { opcode: "kernel", pointers: [[0, 0]], numbers: [4096], kernel } as const;
    // the last has nine chunks in a range, the maximum
    for (const [rows, unit] of [[1000, 1], [1000, 64], [2, 1], [0, 1], [1055, 64]] as const) {
      const words = encode([{ ...note, rows, unit, everyChunk: true }]);
      const [notes] = await runTable(
        runtime,
        words,
        new Int32Array(4 * SIZES.maxChunks * threads),
      );
      const expected = chunksOf(rows, unit, threads).flatMap((chunks) =>
        Array.from({ length: SIZES.maxChunks }, (_, i) => [...chunks[i] ?? [0, 0], 1, 1])
      );
      deepStrictEqual([...notes], expected.flat());
    }
  },
);

testEach("other kernels get every row once, in chunks cut at units, in every run", async (
  runtime,
  { note_rows: kernel },
) => {
  const { threads } = runtime, runs = 5;
  for (const [rows, unit] of [[1000, 1], [1000, 64], [threads, 1], [1, 1], [63, 64]] as const) {
    const note: TestInstruction = {
      ...{ opcode: "kernel", numbers: [unit], rows, unit, kernel, barrier: false },
      pointers: [[0, 0], [1, 0], [2, 0]],
    };
    const program = runtime.program(encode([note, note]), 64); // no barrier between the two
    const blocks = [4 * rows, 4 * SIZES.maxChunks * threads, 4].map((bytes) =>
      runtime.allocate(bytes)
    );
    const slots = BigUint64Array.from(
      blocks.map(({ pointer }) => Deno.UnsafePointer.value(pointer)),
    );
    for (let run = 0; run < runs; run++) await program.run(slots);
    const [visits, odd, chunks] = blocks.map(({ bytes }) => new Int32Array(bytes.buffer));
    ok(visits?.every((count) => count === 2 * runs), `${visits}`);
    ok(odd?.every((flag) => flag === 0));
    strictEqual(chunks?.[0], 2 * runs * chunksOf(rows, unit, threads).flat().length);
    program.release();
    for (const block of blocks) runtime.free(block);
  }
});

testEach("idle threads steal the rows of a delayed one", async (
  runtime,
  { delay: kernel },
) => {
  const { threads } = runtime;
  if (threads === 1) return; // no other thread could steal
  const rows = 8 * threads; // chunks of one row
  const instruction: TestInstruction = {
    ...{ opcode: "kernel", pointers: [[0, 0]], numbers: [rows], rows, kernel },
  };
  const [[done, timedOut]] = await runTable(runtime, encode([instruction]), new Int32Array(2));
  deepStrictEqual([done, timedOut], [rows, 0]);
});
