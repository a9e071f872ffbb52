/**
 * Operations of the runtime that are not generated: tables worked out by hand, then random ones compared with plain loops,
 * on one to four threads.
 */
import { MATMUL_FLAGS } from "@/engine/native/abi.ts";
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import type { NativeRuntime } from "@/engine/native/runtime.ts";
import { encode, openRuntimes, runOperation, runTable } from "./table_builder.ts";

const RUNTIMES = await openRuntimes();
const RUNS = 60;

/** One test for each runtime. */
function testEach(name: string, body: (runtime: NativeRuntime) => Promise<void>): void {
  for (const { name: kind, runtime } of RUNTIMES) {
    Deno.test(`${name} (${kind})`, async () => await body(runtime));
  }
}

const floats = (...values: readonly number[]) => Float32Array.from(values);
const count = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
const numbered = (length: number) => Float32Array.from({ length }, (_, i) => i + 1);

/** Digits of a flat index, most significant first. */
function digitsOf(flat: number, sizes: readonly number[]): number[] {
  const digits: number[] = [];
  for (const size of sizes.toReversed()) {
    digits.unshift(flat % size);
    flat = Math.floor(flat / size);
  }
  return digits;
}

testEach("a matrix product multiplies, adds bias and accumulates", async (runtime) => {
  // [1 2; 3 4] · [5 6; 7 8] = [19 22; 43 50]; with bias [10 20]: [29 42; 53 70]; accumulated on ones: one more
  const a = floats(1, 2, 3, 4),
    b = floats(5, 6, 7, 8),
    c = floats(1, 1, 1, 1),
    bias = floats(10, 20);
  const numbers = (flags: number) => [2, 2, 2, flags, 2, 1, 2, 1, 2, 1, 1, 0, 0, 0, 0, 0, 0];
  const [, , matmul] = await runOperation(runtime, "matmul", numbers(0), a, b, c, bias);
  deepStrictEqual(matmul, floats(29, 42, 53, 70));
  const [, , sum] = await runOperation(
    runtime,
    "matmul",
    numbers(MATMUL_FLAGS.accumulate),
    a,
    b,
    c,
    bias,
  );
  deepStrictEqual(sum, floats(30, 43, 54, 71));
  const words = encode([
    { opcode: "matmul", pointers: [[0, 0], [1, 0], [2, 0], null], numbers: numbers(0) },
  ]);
  deepStrictEqual((await runTable(runtime, words, a, b, c))[2], floats(19, 22, 43, 50));
});

testEach("scatter adds rows at their indices", async (runtime) => {
  // rows 2, 0, 2 of a table of 3: row 2 gets the first and the last
  const x = floats(1, 2, 10, 20, 100, 200), indices = Int32Array.of(2, 0, 2);
  const dirty = floats(7, 7, 7, 7, 7, 7);
  const [, , fresh] = await runOperation(runtime, "scatter", [3, 2, 3, 0], x, indices, dirty);
  deepStrictEqual(fresh, floats(10, 20, 0, 0, 101, 202));
  const [, , added] = await runOperation(runtime, "scatter", [3, 2, 3, 1], x, indices, dirty);
  deepStrictEqual(added, floats(17, 27, 7, 7, 108, 209));
  for (const wrong of [3, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    await rejects(
      runOperation(runtime, "scatter", [3, 2, 3, 0], x, Int32Array.of(0, wrong, 1), dirty),
      new RangeError(
        "Cannot run instruction 0 as an index is out of range for its table",
      ),
    );
  }
});

testEach("scatter clears a large table and adds rows in order", async (runtime) => {
  const [rows, columns, table] = [300, 77, 5000]; // 385,000 floats: cleared with streaming stores
  const x = Float32Array.from({ length: rows * columns }, (_, i) => Math.fround(Math.sin(i)));
  const indices = Int32Array.from({ length: rows }, (_, i) => (i * i * 7) % 40 * 124);
  const expected = new Float32Array(table * columns);
  indices.forEach((row, i) => {
    for (let c = 0; c < columns; c++) {
      const at = row * columns + c;
      expected[at] = (expected[at] ?? 0) + (x[i * columns + c] ?? 0);
    }
  });
  const dirty = new Float32Array(table * columns).fill(3);
  const numbers = [rows, columns, table, 0];
  const [, , actual] = await runOperation(runtime, "scatter", numbers, x, indices, dirty);
  deepStrictEqual(actual, expected);
});

testEach("combine adds partial sums in order", async (runtime) => {
  const [columns, stride, parts] = [37, 48, 5]; // partial sums are padded to vectors of 16
  const partial = Float32Array.from({ length: parts * stride }, (_, i) => i / 7);
  const [sum] = await runOperation(
    ...[runtime, "combine", [columns, parts], new Float32Array(columns), partial] as const,
  );
  const expected = Float32Array.from({ length: columns }, (_, c) => {
    let total = partial[c] ?? 0;
    for (let p = 1; p < parts; p++) total = Math.fround(total + (partial[p * stride + c] ?? 0));
    return total;
  });
  deepStrictEqual(sum, expected);
});

testEach("pad surrounds an array with fill values", async (runtime) => {
  // [1 2; 3 4] with a row of -1 above and a column of -1 on either side
  const [, y] = await runOperation(
    ...[
      runtime,
      "pad",
      [2, 4, 0xbf800000, 1, 2, 3, 1, 2, 4],
      numbered(4),
      new Float32Array(12),
    ] as const,
  );
  deepStrictEqual(y, floats(-1, -1, -1, -1, -1, 1, 2, -1, -1, 3, 4, -1));
  const [, scalar] = await runOperation(runtime, "pad", [0, 4, 0], floats(5), floats(0));
  deepStrictEqual(scalar, floats(5));
});

testEach("pad agrees with a plain loop for all ranks and element sizes", async (runtime) => {
  const axis = fc.tuple(fc.nat(3), fc.nat(5), fc.nat(3));
  const axes = fc.array(axis, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(axes, fc.constantFrom(1, 2, 4, 8), fc.nat(2), async (shape, size, fill) => {
      const inner = shape.map(([, width]) => width), outer = shape.map((a) => a[0] + a[1] + a[2]);
      const x = Uint8Array.from({ length: count(inner) * size }, (_, i) => i + 1);
      const y = new Uint8Array(count(outer) * size).fill(99);
      const expected = y.slice();
      for (let flat = 0; flat < count(outer); flat++) {
        const places = digitsOf(flat, outer).map((digit, k) => digit - (shape[k]?.[0] ?? 0));
        const inside = places.every((place, k) => place >= 0 && place < (inner[k] ?? 0));
        const from = places.reduce((at, place, k) => at * (inner[k] ?? 0) + place, 0) * size;
        for (let byte = 0; byte < size; byte++) {
          const filled = byte === 0 ? fill : 0; // little-endian
          expected[flat * size + byte] = inside ? x[from + byte] ?? 0 : filled;
        }
      }
      const numbers = [
        ...[shape.length, size, fill],
        ...shape.flatMap(([before, inside], axis) => [before, inside, outer[axis] ?? 0]),
      ];
      deepStrictEqual((await runOperation(runtime, "pad", numbers, x, y))[1], expected);
    }),
    { numRuns: RUNS },
  );
});

testEach("copy makes views contiguous", async (runtime) => {
  // the transpose of [1 2 3; 4 5 6]; its digits are column (stride 1) and row (stride 3)
  const transpose = [4, 0, 2, 3, 1, 2, 3];
  const [, y] = await runOperation(runtime, "copy", transpose, numbered(6), new Float32Array(6));
  deepStrictEqual(y, floats(1, 4, 2, 5, 3, 6));
  const reversed = [4, 5, 1, 6, -1];
  const [, z] = await runOperation(runtime, "copy", reversed, numbered(6), new Float32Array(6));
  deepStrictEqual(z, floats(6, 5, 4, 3, 2, 1));
  const [, scalar] = await runOperation(runtime, "copy", [4, 2, 0], numbered(6), floats(0));
  deepStrictEqual(scalar, floats(3));
});

testEach("copy agrees with a plain loop for all views and element sizes", async (runtime) => {
  const digits = fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.nat(9)), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(digits, fc.constantFrom(1, 2, 4, 8), fc.nat(5), async (view, size, offset) => {
      const sizes = view.map(([width]) => width), strides = view.map(([, stride]) => stride);
      const reach = offset + view.reduce((sum, [width, stride]) => sum + (width - 1) * stride, 0) +
        1;
      const x = Uint8Array.from({ length: reach * size }, (_, i) => i * 31 + 7);
      const expected = new Uint8Array(count(sizes) * size);
      for (let flat = 0; flat < count(sizes); flat++) {
        const at = digitsOf(flat, sizes).reduce((sum, d, k) => sum + d * (strides[k] ?? 0), offset);
        expected.set(x.subarray(at * size, (at + 1) * size), flat * size);
      }
      const numbers = [size, offset, view.length, ...view.flat()];
      const [, y] = await runOperation(
        runtime,
        "copy",
        numbers,
        x,
        new Uint8Array(expected.length),
      );
      deepStrictEqual(y, expected);
    }),
    { numRuns: RUNS },
  );
});

testEach("reduce computes sums, products, maxima and minima", async (runtime) => {
  // [2, 3, 2]: 1 2; 3 4; 5 6 | 7 8; 9 10; 11 12
  const reduce = async (kind: number) =>
    (await runOperation(runtime, "reduce", [kind, 2, 3, 2], numbered(12), new Float32Array(4)))[1];
  deepStrictEqual(await reduce(0), floats(9, 12, 27, 30));
  deepStrictEqual(await reduce(1), floats(5, 6, 11, 12));
  deepStrictEqual(await reduce(2), floats(1, 2, 7, 8));
  deepStrictEqual(await reduce(3), floats(15, 48, 693, 960));
  for (const kind of [0, 1, 2, 3]) {
    const [, y] = await runOperation(
      ...[runtime, "reduce", [kind, 1, 100, 1], numbered(100).with(57, NaN), floats(0)] as const,
    );
    deepStrictEqual(y, floats(NaN), `kind ${kind} passes NaN on`);
    const none = [0, -Infinity, Infinity, 1][kind] ?? 0;
    const [, empty] = await runOperation(runtime, "reduce", [kind, 1, 0, 1], floats(), floats(9));
    deepStrictEqual(empty, floats(none));
  }
});

const sizes = fc.record({
  outer: fc.integer({ min: 1, max: 6 }),
  middle: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 60, max: 300 })),
  inner: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
  seed: fc.nat(1000),
});

testEach("reductions agree with plain loops for all sizes", async (runtime) => {
  await fc.assert(
    fc.asyncProperty(sizes, async ({ outer, middle, inner, seed }) => {
      // few different values, so that some are equal
      const x = Float32Array.from(
        { length: outer * middle * inner },
        (_, i) => Math.round(8 * Math.sin(seed + i * i)) / 4 + 0, // no -0
      );
      const column = (at: number) =>
        Array.from(
          { length: middle },
          (_, k) => x[(Math.floor(at / inner) * middle + k) * inner + at % inner] ?? 0,
        );
      const folds = [
        (values: number[]) => values.reduce((a, b) => a + b, 0),
        (values: number[]) => Math.max(...values),
        (values: number[]) => Math.min(...values),
      ];
      const length = outer * inner, shape = [outer, middle, inner];
      for (const [kind, fold] of folds.entries()) {
        const y = new Float32Array(length), numbers = [kind, ...shape];
        const [, actual] = await runOperation(runtime, "reduce", numbers, x, y);
        // quarters are summed exactly
        deepStrictEqual(actual, y.map((_, i) => fold(column(i))), `kind ${kind}`);
      }
      for (const [kind, fold] of [Math.max, Math.min].entries()) {
        const y = new Int32Array(length), numbers = [kind, ...shape];
        const [, actual] = await runOperation(runtime, "argReduce", numbers, x, y);
        deepStrictEqual(actual, y.map((_, i) => column(i).indexOf(fold(...column(i)))));
      }
    }),
    { numRuns: RUNS },
  );
});

testEach("argReduce ignores NaN unless it is the first element", async (runtime) => {
  const place = async (kind: number, ...x: number[]) =>
    (await runOperation(
      runtime,
      "argReduce",
      [kind, 1, x.length, 1],
      floats(...x),
      Int32Array.of(9),
    ))[1][0];
  strictEqual(await place(0, 1, NaN, 3, 3), 2);
  strictEqual(await place(1, 1, NaN, 3, 3), 0);
  strictEqual(await place(0, NaN, 1), 0); // like TensorFlow.js
});

testEach("concat joins corresponding rows", async (runtime) => {
  // [1 2; 3 4] and [1; 2] side by side
  const [y] = await runOperation(
    ...[runtime, "concat", [4, 2, 2, 1], new Float32Array(6), numbered(4), numbered(2)] as const,
  );
  deepStrictEqual(y, floats(1, 2, 1, 3, 4, 2));
  const parts = fc.array(fc.nat(40), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 9 }), parts, async (outer, widths) => {
      const inputs = widths.map((width, k) =>
        numbered(outer * width).map((value) => value + 1000 * k)
      );
      const expected = Array.from(
        { length: outer },
        (_, row) =>
          widths.flatMap((width, k) => [...inputs[k]?.slice(row * width, (row + 1) * width) ?? []]),
      ).flat();
      const all = new Float32Array(expected.length);
      const numbers = [4, outer, ...widths];
      const [joined] = await runOperation(runtime, "concat", numbers, all, ...inputs);
      ok(joined instanceof Float32Array);
      deepStrictEqual([...joined], expected);
    }),
    { numRuns: RUNS },
  );
});
