/**
 * A program with a known result on the process's runtime: x[i] becomes x[i + 1] + 1 many times.
 */
import { openNativeRuntime } from "@/engine/native/runtime.ts";
import { encode, runTable, type TestInstruction } from "./table_builder.ts";

const KERNEL = `#include "vectors/vec.h"
void turn(char *const *P, const int64_t *N, long r0, long r1, char *T) {
  (void)T;
  const float *x = (float *)P[0];
  float *y = (float *)P[1];
  for (long i = r0; i < r1; i++) y[i] = x[i + 1 < N[0] ? i + 1 : 0] + 1;
}`;

/** Opens the runtime, runs the program several times and returns the sum of the last result: 50 · 400. */
export async function turnRepeatedly(): Promise<number> {
  const runtime = await openNativeRuntime({ threads: 2, isa: null });
  const [kernel] = await runtime.loadKernels(KERNEL, ["turn"]);
  const words = encode(Array.from({ length: 400 }, (_, i): TestInstruction => ({
    ...{ opcode: "kernel", numbers: [50], rows: 50, kernel: kernel ?? 0n },
    pointers: i % 2 === 0 ? [[0, 0], [1, 0]] : [[1, 0], [0, 0]],
  })));
  let sum = 0;
  for (let round = 0; round < 20; round++) {
    const [x] = await runTable(runtime, words, new Float32Array(50), new Float32Array(50));
    sum = x.reduce((a, b) => a + b, 0);
  }
  return sum;
}
