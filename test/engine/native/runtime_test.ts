/**
 * The runtime's pool and interpreter: barriers, faults, rejected tables, several programs.
 */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { HEAD, HEAD_WORDS, MATMUL_FLAGS, OPCODES } from "@/engine/native/abi.ts";
import { cpuUsage } from "node:process";
import { setTimeout } from "node:timers/promises";
import {
  encode,
  KERNEL_HEAD,
  makeTestEach,
  openRuntimes,
  runTable,
  type TestInstruction,
} from "./table_builder.ts";

const RUNTIMES = await openRuntimes();

const KERNELS = `${KERNEL_HEAD}/* P[1][i] = P[0][i + 1] + 1, cyclically */
KERNEL(turn) {
  (void)T;
  const float *x = (float *)P[0];
  float *y = (float *)P[1];
  for (long i = r0; i < r1; i++) y[i] = x[i + 1 < N[0] ? i + 1 : 0] + 1;
}
/* P[1][i] = P[0][index[i]], or a fault if the index is not below N[0] */
KERNEL(look_up) {
  const int32_t *index = (int32_t *)P[2];
  for (long i = r0; i < r1; i++) {
    if (index[i] >= 0 && index[i] < N[0]) ((float *)P[1])[i] = ((float *)P[0])[index[i]];
    else set_fault(T);
  }
}
/* about a millisecond of work per row */
KERNEL(wait) {
  (void)P, (void)N, (void)T;
  for (volatile long i = 0; i < (r1 - r0) * 1000000; i++) {}
}`;

const testEach = makeTestEach(RUNTIMES, {
  text: KERNELS,
  names: ["turn", "look_up", "wait"],
});

testEach("10,000 dependent instructions need only their barriers", async (
  runtime,
  { turn: kernel },
) => {
  const [size, steps] = [97, 10_000];
  const forth: TestInstruction = {
    ...{ opcode: "kernel", pointers: [[0, 0], [1, 0]], numbers: [size], rows: size, kernel },
  };
  const back: TestInstruction = { ...forth, pointers: [[1, 0], [0, 0]] };
  const words = encode(Array.from({ length: steps }, (_, i) => i % 2 === 0 ? forth : back));
  const start = Float32Array.from({ length: size }, (_, i) => 3 * i);
  const [turned] = await runTable(runtime, words, start, new Float32Array(size));
  // each step shifts all elements by one and adds 1
  deepStrictEqual(turned, start.map((_, i) => (start[(i + steps) % size] ?? 0) + steps));
});

testEach("a run reports the first instruction with an index out of range", async (
  runtime,
  { look_up: kernel },
) => {
  const look = (slot: number): TestInstruction => ({
    ...{ opcode: "kernel", pointers: [[0, 0], [1, 0], [slot, 0]], numbers: [3], rows: 4, kernel },
  });
  const table = Float32Array.of(1, 2, 3), good = Int32Array.of(2, 1, 0, 2);
  const run = (...slots: readonly number[]) =>
    runTable(
      runtime,
      encode(slots.map(look)),
      ...[table, new Float32Array(4), good, Int32Array.of(0, 3, 1, 2), Int32Array.of(0, 0, 0, -1)],
    );
  deepStrictEqual((await run(2))[1], Float32Array.of(3, 2, 1, 3));
  for (const [slots, instruction] of [[[2, 3, 4], 1], [[4, 3], 0], [[2, 2, 2, 4], 3]] as const) {
    await rejects(run(...slots), (error: Error) => {
      ok(error instanceof RangeError);
      strictEqual(
        error.message,
        `Cannot run instruction ${instruction} as an index is out of range for its table`,
      );
      deepStrictEqual(error.cause, { instruction });
      return true;
    });
  }
  deepStrictEqual((await run(2))[1], Float32Array.of(3, 2, 1, 3)); // the fault does not persist
});

testEach("runs of several programs are serialized, on and off the main thread", async (
  runtime,
  { turn: kernel },
) => {
  const size = 640;
  const table = (steps: number) =>
    encode(Array.from({ length: steps }, (_, i): TestInstruction => ({
      ...{ opcode: "kernel", numbers: [size], rows: size, kernel },
      pointers: i % 2 === 0 ? [[0, 0], [1, 0]] : [[1, 0], [0, 0]],
    })));
  const runs = [2, 40, 200, 8].map((steps) => {
    const program = runtime.program(table(steps), 64);
    const blocks = [runtime.allocate(4 * size), runtime.allocate(4 * size)];
    const addresses = blocks.map(({ pointer }) => Deno.UnsafePointer.value(pointer));
    return { steps, program, blocks, slots: BigUint64Array.from(addresses) };
  });
  for (let round = 0; round < 5; round++) {
    await Promise.all(runs.map(({ program, slots }) => program.run(slots)));
    for (const { program, slots } of runs) program.runSync(slots);
  }
  for (const { steps, program, blocks } of runs) {
    const values = new Float32Array(blocks[0]?.bytes.buffer ?? new ArrayBuffer());
    ok(values.every((value) => value === 10 * steps));
    strictEqual(program.times(false).instructions.length, steps);
    program.release();
    for (const block of blocks) runtime.free(block);
  }
});

testEach("times are accumulated and reset", async (runtime, { wait: kernel }) => {
  const rows = runtime.threads;
  const wait = { opcode: "kernel", pointers: [], numbers: [], kernel } as const;
  const program = runtime.program(encode([{ ...wait, rows }, { ...wait, rows: 0 }]), 64);
  await program.run(new BigUint64Array());
  const { instructions: [first = 0, second = 0] } = program.times(false);
  await program.run(new BigUint64Array());
  const { instructions: [both = 0] } = program.times(true);
  ok(first > 1e-4 && first > 10 * second, `${first} s and ${second} s`);
  ok(both > 1.2 * first || both > first + 1e-4);
  const none = Float64Array.of(0, 0);
  deepStrictEqual(program.times(false), { instructions: none, epilogues: none });
  program.release();
});

testEach(
  "a program that is released while it runs completes the run",
  async (runtime, { wait }) => {
    const instruction = {
      opcode: "kernel",
      pointers: [],
      numbers: [],
      kernel: wait,
      rows: 4,
    } as const;
    const program = runtime.program(encode([instruction]), 64);
    const running = program.run(new BigUint64Array());
    program.release();
    await running;
    await rejects(
      program.run(new BigUint64Array()),
      new Error("Cannot run a program that was released"),
    );
  },
);

testEach("malformed tables are rejected", (runtime, { turn: kernel }) => {
  const sound: TestInstruction = {
    ...{ opcode: "kernel", pointers: [[0, 0], [1, 0]], numbers: [1], rows: 1, kernel },
  };
  const words = encode([sound]);
  const length = BigInt(words.length);
  const changes: readonly (readonly [place: number, word: bigint])[] = [
    ...[length - 1n, length + 1n, -1n].map((word) => [HEAD.length, word] as const),
    ...[BigInt(Object.keys(OPCODES).length), -1n].map((word) => [HEAD.opcode, word] as const),
    ...[3n, -1n, 1n << 62n].map((word) => [HEAD.pointers, word] as const),
    ...[2n, -1n, 1n << 62n].map((word) => [HEAD.numbers, word] as const),
    ...[[HEAD.rows, -1n], [HEAD.unit, 0n], [HEAD.kernel, 0n], [HEAD_WORDS, -2n]] as const,
  ];
  const other = (opcode: TestInstruction["opcode"], pointers: number, numbers: readonly number[]) =>
    encode([{ opcode, pointers: Array(pointers).fill([0, 0]), numbers }]);
  const followed = (head: { rows: number; unit?: number }) =>
    encode([{
      ...{ opcode: "matmul", pointers: Array(5).fill([0, 0]), kernel },
      ...{ numbers: [1, 1, 1, 0, ...Array(13).fill(1)], ...head },
    }]);
  runtime.program(followed({ rows: 1 }), 64).release();
  const tables = [
    ...changes.map(([place, word]) => words.with(place, word)),
    words.slice(0, HEAD_WORDS - 1),
    other("matmul", 4, Array(16).fill(1)), // one number is missing
    other("matmul", 4, [0, ...Array(16).fill(1)]), // no rows
    other("matmul", 4, [1, 1, 1, MATMUL_FLAGS.persistentB, ...Array(13).fill(1)]), // no pointer for the persistent B
    other("matmul", 5, [1, 1, 1, 0, ...Array(13).fill(1)]), // a pointer without a persistent B
    other("matmul", 4, [1, 1, 1, 0, ...Array(14).fill(1)]), // an extra number without an epilogue
    followed({ rows: 2 }), // an epilogue with more rows than the product
    followed({ rows: 1, unit: 0 }),
    other("scatter", 2, [1, 1, 1, 0]), // no pointer for the table
    other("pad", 2, [2, 4, 0, 1, 1, 1]), // an axis is missing
    other("pad", 2, [1, 3, 0, 0, 1, 1]), // elements of 3 bytes
    other("pad", 2, [7, 4, 0, ...Array(7).fill([0, 1, 1]).flat()]), // too many axes
    other("pad", 2, [1, 4, 0, 1, 1, 1]), // y is smaller than x
    other("copy", 2, [4, 0, 2, 1, 1]), // a digit is missing
    other("reduce", 2, [8, 1, 1, 1]), // no such kind
    other("argReduce", 2, [4, 1, 1, 1]),
    other("concat", 3, [4, 1, 1]), // an operand without its size
    other("integerMatmul", 2, Array(8).fill(1)), // no pointer for the result
    other("integerMatmul", 3, [1, 1, 1, 1, 1, 1, 1, -1]),
    other("top", 2, [2, 1, 1, 1]), // no such type
    other("top", 2, [0, 1, 3, 4]), // K exceeds the number of columns
    other("top", 2, [0, 1, 1, 0]), // K is 0
    other("top", 2, [0, 1, 2 ** 31 + 1, 1]), // indices that exceed int32
  ];
  tables.forEach((table, i) => {
    throws(() => runtime.program(table as BigInt64Array<ArrayBuffer>, 64), {
      name: "RangeError",
      message: `Cannot decode a program: its table is malformed or does not fit in memory (` +
        `${table.length} words, 64 bytes of scratch for each of ${runtime.threads} threads)`,
    }, `table ${i}`);
  });
  const program = runtime.program(words as BigInt64Array<ArrayBuffer>, 64);
  strictEqual(program.slots, 2);
  throws(
    () => program.runSync(new BigUint64Array(1)),
    new RangeError("Cannot run a program as it needs 2 slots: current number is 1"),
  );
  program.release();
  runtime.program(new BigInt64Array(), 0).runSync(new BigUint64Array()); // an empty program does nothing
  return Promise.resolve();
});

testEach("memory is zeroed and aligned, and failures have a message", (runtime) => {
  for (const bytes of [0, 1, 64, 100_000, 9_000_000]) {
    const block = runtime.allocate(bytes);
    strictEqual(block.bytes.byteLength, bytes);
    strictEqual(Deno.UnsafePointer.value(block.pointer) % (bytes > 4e6 ? 2n ** 21n : 4096n), 0n);
    ok(block.bytes.every((byte) => byte === 0));
    block.bytes.fill(1);
    runtime.free(block);
  }
  throws(
    () => runtime.allocate(2 ** 47),
    new RangeError("Cannot allocate 140737488355328 bytes: out of memory"),
  );
  let block = runtime.allocate(100);
  for (const size of [5000, 20_000, 10_000_000, 10_000_001, 30_000_000]) {
    const address = Deno.UnsafePointer.value(block.pointer);
    throws(() => runtime.grow(block, 2 ** 47), RangeError); // the block remains valid
    block.bytes.fill(1);
    strictEqual(Deno.UnsafePointer.value(block.pointer), address);
    block = runtime.grow(block, size);
    strictEqual(block.bytes.length, size);
    strictEqual(Deno.UnsafePointer.value(block.pointer) % (size > 1e7 ? 2n ** 21n : 4096n), 0n);
    block.bytes.fill(2);
  }
  runtime.free(block);
  return Promise.resolve();
});

Deno.test("kernels that are missing in their source are rejected", async () => {
  const [{ runtime } = { runtime: undefined }] = RUNTIMES;
  await rejects(
    runtime?.loadKernels(KERNELS, ["missing"]) ?? Promise.resolve(),
    new RangeError("Cannot load kernels as their source does not define missing"),
  );
  deepStrictEqual(
    runtime?.loadKernelsSync(KERNELS, ["turn"]),
    await runtime?.loadKernels(KERNELS, ["turn"]),
  );
});

Deno.test("idle pools sleep", async () => {
  await setTimeout(100); // longer than threads spin after a run
  const before = cpuUsage();
  await setTimeout(400);
  const { user, system } = cpuUsage(before);
  ok(user + system < 200_000, `${user + system} µs of 400,000 with ${RUNTIMES.length} pools`);
});
