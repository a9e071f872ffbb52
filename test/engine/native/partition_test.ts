/**
 * How kernels' rows fall to threads: shares with a scratch of their own, pieces, help for who is held up.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { MAX_CHUNKS_PER_THREAD } from "@/engine/native/instruction.ts";
import {
  encode,
  KERNEL_HEAD,
  makeTestEach,
  openRuntimes,
  runTable,
  type TestInstruction,
} from "./table_builder.ts";

const KERNELS = `${KERNEL_HEAD}#include <unistd.h>
/* P[0]: for each part first row, end, visits, whether the scratch is aligned */
KERNEL(note_part) {
  int32_t *note = (int32_t *)P[0] + 4 * *(int32_t *)T;
  note[0] = (int32_t)r0, note[1] = (int32_t)r1, note[3] = (uintptr_t)T % 64 == 0;
  __atomic_fetch_add(note + 2, 1, __ATOMIC_RELAXED);
  T[N[0] - 1] = 1; /* the last byte of scratch is ours */
}
/* P[0][row] counts its visits; P[1][part]: whether a piece began off a unit of N[0] rows; P[2]: pieces */
KERNEL(note_rows) {
  int32_t *visits = (int32_t *)P[0], *odd = (int32_t *)P[1], part = *(int32_t *)T;
  for (long i = r0; i < r1; i++) __atomic_fetch_add(visits + i, 1, __ATOMIC_RELAXED);
  odd[part] |= r0 % N[0] != 0 || r0 >= r1;
  __atomic_fetch_add((int32_t *)P[2], 1, __ATOMIC_RELAXED);
}
/* who has row 0 waits until all other rows are done, some seconds at most; P[0]: rows done, whether it was long */
KERNEL(hold_up) {
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
  names: ["note_part", "note_rows", "hold_up"],
});

/** Where the share of thread `t` begins. */
const shareStart = (rows: number, unit: number, threads: number, t: number) =>
  t === threads ? rows : Math.floor(rows * t / threads / unit) * unit;

/**
 * First row and end of each piece of `rows` rows, by thread: of each share about eight, cut at units; all in
 * one for a single thread.
 */
function piecesOf(rows: number, unit: number, threads: number): [number, number][][] {
  const share = Math.ceil(rows / threads);
  const piece = threads === 1 ? share : Math.ceil(Math.ceil(share / 8) / unit) * unit;
  return Array.from({ length: threads }, (_, t) => {
    const from = shareStart(rows, unit, threads, t), to = shareStart(rows, unit, threads, t + 1);
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
    { note_part: kernel },
  ) => {
    const { threads } = runtime;
    const note = { opcode: "kernel", pointers: [[0, 0]], numbers: [4096], kernel } as const;
    // the last has nine pieces of a share, the most
    for (const [rows, unit] of [[1000, 1], [1000, 64], [2, 1], [0, 1], [1055, 64]] as const) {
      const words = encode([{ ...note, rows, unit, everyChunk: true }]);
      const [notes] = await runTable(
        runtime,
        words,
        new Int32Array(4 * MAX_CHUNKS_PER_THREAD * threads),
      );
      const expected = piecesOf(rows, unit, threads).flatMap((pieces) =>
        Array.from({ length: MAX_CHUNKS_PER_THREAD }, (_, i) => [...pieces[i] ?? [0, 0], 1, 1])
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
    const blocks = [4 * rows, 4 * MAX_CHUNKS_PER_THREAD * threads, 4].map((bytes) =>
      runtime.allocate(bytes)
    );
    const slots = BigUint64Array.from(
      blocks.map(({ pointer }) => Deno.UnsafePointer.value(pointer)),
    );
    for (let run = 0; run < runs; run++) await program.run(slots);
    const [visits, odd, pieces] = blocks.map(({ bytes }) => new Int32Array(bytes.buffer));
    ok(visits?.every((count) => count === 2 * runs), `${visits}`);
    ok(odd?.every((flag) => flag === 0));
    strictEqual(pieces?.[0], 2 * runs * piecesOf(rows, unit, threads).flat().length);
    program.release();
    for (const block of blocks) runtime.free(block);
  }
});

testEach("idle threads steal the rows of a delayed one", async (
  runtime,
  { hold_up: kernel },
) => {
  const { threads } = runtime;
  if (threads === 1) return; // nobody could help
  const rows = 8 * threads; // pieces of one row
  const instruction: TestInstruction = {
    ...{ opcode: "kernel", pointers: [[0, 0]], numbers: [rows], rows, kernel },
  };
  const [[done, isLong]] = await runTable(runtime, encode([instruction]), new Int32Array(2));
  deepStrictEqual([done, isLong], [rows, 0]);
});
