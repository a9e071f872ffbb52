import { MATMUL_FLAGS } from "@/engine/native/abi.ts";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { fromBytes, type Matmul, multiplyExactly, prepareMatmul, toBytes } from "./gemm_case.ts";
import {
  type Build,
  BUILDS,
  missing,
  type MultiplyOptions,
  type Server,
  startServer,
} from "./gemm_server.ts";

const RUNS = 120; // for each property and build
const EMULATED_RUNS = 40;

/** The product that individual cases modify. */
const PLAIN: Matmul = {
  m: 5,
  n: 7,
  k: 9,
  items: [1, 1],
  interleaved: false,
  transposeA: false,
  transposeB: false,
  padding: 0,
  bf16: { a: false, b: false, c: false },
  inBf16: false,
  accumulate: false,
  bias: false,
  rounding: "none",
  persistentB: false,
  seed: 1,
};

const size = (most: number) =>
  fc.oneof(fc.integer({ min: 1, max: most }), fc.constantFrom(1, 14, 16, 32, 64));

const anyMatmul: fc.Arbitrary<Matmul> = fc.record({
  m: size(90),
  n: size(90),
  k: size(90),
  items: fc.constantFrom<[number, number]>([1, 1], [1, 1], [2, 1], [2, 3]),
  interleaved: fc.boolean(),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  padding: fc.constantFrom(0, 0, 1, 2, 16),
  bf16: fc.record({ a: fc.boolean(), b: fc.boolean(), c: fc.boolean() }),
  inBf16: fc.boolean(),
  accumulate: fc.boolean(),
  bias: fc.boolean(),
  rounding: fc.constantFrom("none", "none", "bfloat16", "float16"),
  persistentB: fc.boolean(),
  seed: fc.nat(),
}).map((matmul) => ({
  ...matmul,
  persistentB: matmul.persistentB && matmul.items[0] * matmul.items[1] === 1,
}));

/** Multiplies on a server and returns the bytes of C. */
async function multiply(
  server: Server,
  { a, b, c, bias, numbers }: ReturnType<typeof prepareMatmul>,
  options: MultiplyOptions,
): Promise<Uint8Array> {
  const answer = await server.multiply(numbers, {
    a: toBytes(a.values, a.bf16),
    b: toBytes(b.values, b.bf16),
    c: toBytes(c.values, c.bf16),
    bias: bias && toBytes(bias, false),
  }, options);
  strictEqual(answer.status, 0);
  return answer.c;
}

/** Compares a product with float64 loops, including unused elements between rows and items of C. */
async function checkMatmul(server: Server, matmul: Matmul, threads: number): Promise<void> {
  const prepared = prepareMatmul(matmul);
  const follows = matmul.seed % 2 === 0;
  const got = fromBytes(await multiply(server, prepared, { threads, follows }), matmul.bf16.c);
  const { wanted, tolerance } = multiplyExactly(matmul);
  for (const [i, value] of got.entries()) {
    const difference = Math.abs(value - (wanted[i] ?? NaN));
    ok(difference <= (tolerance[i] ?? 0), `element ${i}: ${value}, not ${wanted[i]}`);
  }
}

const PROPERTIES: Record<string, (server: Server, build: Build) => Promise<void>> = {
  "agrees with float64 loops": async (server, { emulator }) => {
    const numRuns = emulator ? EMULATED_RUNS : RUNS;
    const threads = fc.integer({ min: 1, max: 3 });
    await fc.assert(
      fc.asyncProperty(anyMatmul, threads, (p, t) => checkMatmul(server, p, t)),
      { numRuns, seed: 5 },
    );
  },

  "agrees if K is cut into slices and C into blocks": async (server) => {
    for (const inBf16 of [false, true]) {
      for (const transposeA of [false, true]) {
        const bf16 = { a: inBf16, b: inBf16, c: !transposeA }; // a bfloat16 C has one slice of K
        const matmul = { ...PLAIN, transposeA, inBf16, bf16, bias: true };
        await checkMatmul(server, { ...matmul, m: 37, n: 40, k: 2305, accumulate: true }, 2);
        await checkMatmul(server, { ...matmul, m: 300, n: 70, k: 65, transposeB: true }, 3);
        const rounded = { ...matmul, bf16: PLAIN.bf16, m: 16, n: 35, k: 2305, accumulate: true };
        await checkMatmul(server, { ...rounded, rounding: "bfloat16" }, 2);
        await checkMatmul(server, { ...rounded, rounding: "float16" }, 2);
        await checkMatmul(server, { ...matmul, m: 9, n: 66, k: 4201, bias: false }, 2);
        await checkMatmul(server, { ...matmul, m: 9, n: 266, k: 4201, persistentB: true }, 3);
      }
    }
  },

  "is bitwise equal for any number of threads": async (server) => {
    const batch: Partial<Matmul> = { items: [3, 5], interleaved: true, m: 33, n: 40, k: 70 };
    const scores = { ...batch, transposeA: false, transposeB: true }; // like attention scores
    for (const shape of [{ m: 120, n: 50, k: 2200 }, { m: 20, n: 300, k: 77 }, batch, scores]) {
      for (const inBf16 of [false, true]) {
        const prepared = prepareMatmul({ ...PLAIN, transposeA: true, ...shape, inBf16 });
        const alone = await multiply(server, prepared, { threads: 1 });
        for (const threads of [2, 3]) {
          deepStrictEqual(await multiply(server, prepared, { threads }), alone);
        }
      }
    }
  },

  "lets idle threads steal the work of a delayed one, with bitwise equal results": async (
    server,
  ) => {
    const rows = { shape: { m: 400, n: 64, k: 64 }, delay: "after barrier" } as const;
    const batch: Partial<Matmul> = { items: [4, 3], m: 40, n: 40, k: 40 };
    const items = { shape: batch, delay: "before products" } as const;
    const scores = { ...items, shape: { ...batch, interleaved: true, transposeB: true } }; // like attention scores
    for (const { shape, delay } of [rows, items, scores]) {
      for (const inBf16 of [false, true]) {
        const prepared = prepareMatmul({ ...PLAIN, ...shape, inBf16 });
        const alone = await multiply(server, prepared, { threads: 1 });
        // status 3 if work remains for the delayed thread
        for (const follows of [false, true]) {
          const options = { threads: 3, delay, follows };
          deepStrictEqual(await multiply(server, prepared, options), alone);
        }
      }
    }
  },

  "runs consecutive products without barriers": async (server) => {
    for (const shape of [{ m: 130, n: 70, k: 1100 }, { m: 20, n: 300, k: 77 }]) {
      for (const inBf16 of [false, true]) {
        for (const follows of [false, true]) {
          const prepared = prepareMatmul({ ...PLAIN, ...shape, inBf16 });
          await multiply(server, prepared, { threads: 3, times: 7, follows }); // status 2 if they differ
        }
      }
    }
  },

  "passes every complete row and every chunk to its epilogue once": async (server) => {
    const several: Partial<Matmul> = { items: [5, 2], interleaved: true, m: 33, n: 40, k: 70 };
    const shapes: readonly Partial<Matmul>[] = [
      { m: 3, n: 5, k: 2 }, // on one thread
      { m: 130, n: 70, k: 2305, transposeA: true }, // by rows, in chunks
      { m: 20, n: 300, k: 77 }, // by columns
      { m: 20, n: 300, k: 77, persistentB: true },
      several, // by items
    ];
    for (const shape of shapes) {
      for (const inBf16 of [false, true]) {
        for (const threads of [1, 2, 3, 8]) {
          const prepared = prepareMatmul({ ...PLAIN, ...shape, inBf16, bias: true });
          await multiply(server, prepared, { threads, follows: true }); // status 4 if rows or chunks are missing
        }
      }
    }
  },

  "propagates NaN and infinity only within their row": async (server) => {
    for (const inBf16 of [false, true]) {
      for (const transposeA of [false, true]) {
        const matmul = { ...PLAIN, m: 33, n: 40, k: 31, inBf16, transposeA };
        const prepared = prepareMatmul(matmul);
        const { a, b } = prepared;
        a.values[3 * a.row + 30 * a.column] = NaN;
        a.values[32 * a.row] = Infinity;
        b.values.fill(1, 0, 40); // the row of B that is multiplied with it: no 0 and no sign
        const c = fromBytes(await multiply(server, prepared, { threads: 2 }), false);
        for (let i = 0; i < 33; i++) {
          const row = c.slice(i * 40, (i + 1) * 40);
          if (i === 3) ok(row.every(Number.isNaN));
          else if (i === 32) ok(row.every((value) => value === Infinity));
          else ok(row.every(Number.isFinite));
        }
      }
    }
  },

  "rounds to bfloat16 to nearest even": async (server) => {
    // 1·x with x halfway between adjacent numbers (1 + 1/256: even one below; 1 + 3/256: even one above), and beyond halfway
    const matmul = { ...PLAIN, m: 1, n: 3, k: 1, bf16: { a: false, b: false, c: true } };
    const prepared = prepareMatmul(matmul);
    prepared.a.values.set([1]);
    prepared.b.values.set([1 + 1 / 256, 1 + 3 / 256, 1 + 1 / 256 + 2 ** -23]);
    const stored = fromBytes(await multiply(server, prepared, { threads: 1 }), true);
    deepStrictEqual([...stored], [1, 1 + 4 / 256, 1 + 2 / 256]);
    const operands = prepareMatmul({ ...matmul, bf16: PLAIN.bf16, inBf16: true });
    operands.a.values.set(prepared.a.values);
    operands.b.values.set(prepared.b.values);
    const rounded = fromBytes(await multiply(server, operands, { threads: 1 }), false);
    deepStrictEqual([...rounded], [1, 1 + 4 / 256, 1 + 2 / 256]);
  },

  "rounds sums to a half type before adding them to C": async (server) => {
    // 1·x: ties to even, beyond a tie; for float16 below its smallest normal number and beyond its largest
    const values = {
      bfloat16: [[1 + 1 / 256, 1], [1 + 3 / 256, 1 + 4 / 256], [
        -(1 + 1 / 256 + 2 ** -20),
        -1 - 2 / 256,
      ]],
      float16: [
        ...[[1 + 2 ** -11, 1], [1 + 3 * 2 ** -11, 1 + 2 ** -9], [
          -(1 + 2 ** -11 + 2 ** -20),
          -1 - 2 ** -10,
        ]],
        ...[[2 ** -24, 2 ** -24], [3 * 2 ** -25, 2 ** -23], [2 ** -25, 0], [-65519, -65504], [
          65520,
          Infinity,
        ]],
      ],
    };
    for (const rounding of ["bfloat16", "float16"] as const) {
      for (const accumulate of [false, true]) {
        const n = values[rounding].length;
        const prepared = prepareMatmul({ ...PLAIN, m: 1, n, k: 1, rounding, accumulate });
        prepared.a.values.set([1]);
        prepared.b.values.set(values[rounding].map(([given = NaN]) => given));
        prepared.c.values.fill(0.25);
        const got = fromBytes(await multiply(server, prepared, { threads: 1 }), false);
        const wanted = values[rounding].map(([, to = NaN]) =>
          accumulate ? Math.fround(to + 0.25) : to
        );
        deepStrictEqual([...got], wanted);
      }
    }
  },

  "rejects invalid numbers": async (server) => {
    const { numbers } = prepareMatmul(PLAIN);
    const none = new Uint8Array(0);
    const change = (at: number, value: number) => numbers.map((n, i) => (i === at ? value : n));
    const persistentItems = change(3, MATMUL_FLAGS.persistentB).with(9, 2);
    const bad = [
      change(0, 0),
      change(2, -1),
      change(3, 2 ** 20), // an unknown flag
      change(5, 2),
      change(9, 0),
      persistentItems,
    ];
    for (const words of bad) {
      const operands = { a: none, b: none, c: none, bias: null };
      strictEqual((await server.multiply(words, operands, { threads: 1 })).status, 1);
    }
  },
};

for (const build of BUILDS) {
  const reason = missing(build);
  const name = `gemm (${build.name})${reason ? `: skipped, ${reason}` : ""}`;
  Deno.test({ name, ignore: reason !== null }, async (test) => {
    const server = await startServer(build);
    try {
      for (const [property, check] of Object.entries(PROPERTIES)) {
        await test.step(property, () => check(server, build));
      }
    } finally {
      await server.close();
    }
  });
}
