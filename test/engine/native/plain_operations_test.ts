/**
 * Operations of the runtime on contiguous operands, integer matrix products and top-k: tables worked out by hand, then
 * random ones compared with plain loops, on one to four threads.
 */
import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { NativeRuntime } from "@/engine/native/runtime.ts";
import { openRuntimes, runOperation } from "./table_builder.ts";

const RUNTIMES = await openRuntimes();
const RUNS = 60;

/** One test for each runtime. */
function testEach(name: string, body: (runtime: NativeRuntime) => Promise<void>): void {
  for (const { name: kind, runtime } of RUNTIMES) {
    Deno.test(`${name} (${kind})`, async () => await body(runtime));
  }
}

const integers = (...values: readonly number[]) => Int32Array.from(values);
const floats = (...values: readonly number[]) => Float32Array.from(values);
const LEAST = -(2 ** 31), MOST = 2 ** 31 - 1;

/** Row and column strides of a matrix of rows × columns. */
const stridesOf = (rows: number, columns: number, transposed: boolean) =>
  transposed ? [1, rows] as const : [columns, 1] as const;

testEach("an integer matrix product multiplies, transposes and wraps around", async (runtime) => {
  // [1 2; 3 4] · [5 6; 7 8] = [19 22; 43 50]; old values are overwritten
  const a = integers(1, 2, 3, 4), b = integers(5, 6, 7, 8), dirty = integers(9, 9, 9, 9);
  const multiply = async (x: Int32Array<ArrayBuffer>, ...steps: number[]) => {
    const numbers = [1, 2, 2, 2, ...steps];
    return (await runOperation(runtime, "integerMatmul", numbers, x, b, dirty))[2];
  };
  deepStrictEqual(await multiply(a, 2, 1, 2, 1), integers(19, 22, 43, 50));
  // [1 3; 2 4] · [5 6; 7 8] = [26 30; 38 44] and [1 2; 3 4] · [5 7; 6 8] = [17 23; 39 53]
  deepStrictEqual(await multiply(a, 1, 2, 2, 1), integers(26, 30, 38, 44));
  deepStrictEqual(await multiply(a, 2, 1, 1, 2), integers(17, 23, 39, 53));
  // −2³¹ · 5 + −1 · 7 = −2³¹ − 7 and −2³¹ · 6 − 8 = −8; (2³¹ − 1) · 5 = 2³¹ − 5 and (2³¹ − 1) · 6 = −6
  const extremes = integers(LEAST, -1, MOST, 0);
  deepStrictEqual(await multiply(extremes, 2, 1, 2, 1), integers(MOST - 6, -8, MOST - 4, -6));
});

testEach(
  "integer matrix products agree with plain loops for all sizes and transposes",
  async (runtime) => {
    const size = fc.integer({ min: 1, max: 40 });
    const sizes = fc.record({
      ...{ items: fc.integer({ min: 1, max: 4 }), rows: size, columns: size, inner: size },
      ...{ transposeA: fc.boolean(), transposeB: fc.boolean(), seed: fc.nat(1000) },
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (drawn) => {
        const { items, rows, columns, inner, transposeA, transposeB, seed } = drawn;
        const noise = (length: number, k: number) =>
          Int32Array.from({ length }, (_, i) => Math.imul(i + seed + k, 0x9e3779b1));
        const a = noise(items * rows * inner, 0), b = noise(items * inner * columns, 7);
        const stepsA = stridesOf(rows, inner, transposeA),
          stepsB = stridesOf(inner, columns, transposeB);
        const expected = Int32Array.from({ length: items * rows * columns }, (_, i) => {
          const item = Math.floor(i / (rows * columns));
          const row = Math.floor(i / columns) % rows, column = i % columns;
          let sum = 0;
          for (let k = 0; k < inner; k++) {
            const x = a[item * rows * inner + row * stepsA[0] + k * stepsA[1]] ?? 0;
            const y = b[item * inner * columns + k * stepsB[0] + column * stepsB[1]] ?? 0;
            sum = (sum + Math.imul(x, y)) | 0;
          }
          return sum;
        });
        const numbers = [items, rows, columns, inner, ...stepsA, ...stepsB];
        const c = new Int32Array(expected.length).fill(3);
        deepStrictEqual(
          (await runOperation(runtime, "integerMatmul", numbers, a, b, c))[2],
          expected,
        );
      }),
      { numRuns: RUNS },
    );
  },
);

testEach(
  "top returns the largest first, the first of equal elements, and NaN last",
  async (runtime) => {
    const top = async (count: number, x: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>) => {
      const numbers = [x instanceof Int32Array ? 1 : 0, 1, x.length, count];
      return (await runOperation(runtime, "top", numbers, x, new Int32Array(count).fill(9)))[1];
    };
    deepStrictEqual(await top(3, floats(1, 7, 7, 9, 7)), integers(3, 1, 2));
    deepStrictEqual(await top(1, floats(5)), integers(0));
    deepStrictEqual(await top(4, floats(0, -0, 0, -0)), integers(0, 1, 2, 3)); // equal in spite of their signs
    const special = floats(NaN, -Infinity, 2, NaN, Infinity);
    deepStrictEqual(await top(5, special), integers(4, 2, 1, 0, 3));
    deepStrictEqual(await top(2, special), integers(4, 2));
    deepStrictEqual(await top(4, integers(LEAST, MOST, -1, MOST)), integers(1, 3, 2, 0));
    // 2²⁴ + 1 is not a float32: integers are compared as integers
    deepStrictEqual(await top(2, integers(2 ** 24, 2 ** 24 + 1, 2 ** 24)), integers(1, 0));
  },
);

testEach("top agrees with sorting for all sizes and types", async (runtime) => {
  const sizes = fc.record({
    ...{ rows: fc.integer({ min: 1, max: 9 }), size: fc.integer({ min: 1, max: 200 }) },
    ...{ share: fc.double({ min: 0, max: 1, noNaN: true }), isInteger: fc.boolean() },
    seed: fc.nat(1000),
  });
  await fc.assert(
    fc.asyncProperty(sizes, async ({ rows, size, share, isInteger, seed }) => {
      const count = 1 + Math.floor(share * (size - 1));
      // few different values, so that some are equal
      const values = Array.from(
        { length: rows * size },
        (_, i) => Math.round(30 * Math.sin(seed + i * i)),
      );
      const x = isInteger ? Int32Array.from(values) : Float32Array.from(values);
      const expected = Array.from({ length: rows }, (_, row) => {
        const own = values.slice(row * size, (row + 1) * size);
        return [...own.keys()].sort((i, j) => (own[j] ?? 0) - (own[i] ?? 0)).slice(0, count);
      });
      const numbers = [isInteger ? 1 : 0, rows, size, count], y = new Int32Array(rows * count);
      deepStrictEqual(
        (await runOperation(runtime, "top", numbers, x, y))[1],
        Int32Array.from(expected.flat()),
      );
    }),
    { numRuns: RUNS },
  );
});
