/**
 * The vector operations of generated kernels on every instruction set of this processor, and on an emulated aarch64
 * processor: accuracies against float64 as documented in `vec_math.h`, everything else exact.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { computeDropoutMask, keepThreshold, siteKeys } from "@/engine/dropout_mask.ts";
import {
  bitsOf,
  distanceInUlp,
  erf,
  floatOf,
  roundToBfloat16,
  sampleFloats,
  SPECIAL,
} from "./float_reference.ts";
import {
  type BINARY,
  type INTEGER,
  openEmulatedVecLibrary,
  openVecLibraries,
  STORAGE,
  type VecLibrary,
} from "./vec_library.ts";

const HERE = await openVecLibraries(), EMULATED = await openEmulatedVecLibrary();
ok(HERE.length >= 2, "the portable variants run everywhere");
const LIBRARIES = [...HERE, ..."missing" in EMULATED ? [] : [EMULATED]];
if (!("missing" in EMULATED)) Deno.test.afterAll(() => EMULATED.close());
else Deno.test.ignore(`on NEON, emulated: skipped, ${EMULATED.missing}`, () => {});

/** One test for each instruction set. */
function testEach(name: string, body: (library: VecLibrary) => Promise<void>): void {
  for (const library of LIBRARIES) Deno.test(`${name} (${library.variant})`, () => body(library));
}

const SAMPLES = sampleFloats(16411, 100_000);

/** Real functions with the error bounds of `vec_math.h`: in ulp, or absolute if that is larger. */
const REAL = {
  exp: { real: Math.exp, ulp: 1, absolute: 0 },
  log: { real: Math.log, ulp: 1, absolute: 0 },
  erf: { real: erf, ulp: 2, absolute: 0 },
  tanh: { real: Math.tanh, ulp: 1.5, absolute: 0 },
  sin: { real: Math.sin, ulp: 1.75, absolute: 1e-10 },
  cos: { real: Math.cos, ulp: 1.75, absolute: 1e-10 },
  rsqrt: { real: (x: number) => 1 / Math.sqrt(x), ulp: 1.5, absolute: 0 },
} as const;

for (const [name, { real, ulp, absolute }] of Object.entries(REAL)) {
  testEach(`v_${name} is within its stated accuracy for all floats`, async ({ call, variant }) => {
    const results = new Float32Array(SAMPLES.length);
    await call(name, SAMPLES, SAMPLES, results, SAMPLES.length);
    const allowed = name === "erf" && variant !== "avx512" ? 1.25 : ulp;
    SAMPLES.forEach((x, i) => {
      const actual = results[i] as number, expected = real(x);
      const near = distanceInUlp(actual, expected) <= allowed ||
        Math.abs(actual - expected) <= absolute;
      ok(near, `${name}(${x}) is ${expected}: ${actual}`);
    });
  });
}

const truncateSign = (x: number) => x > 0 ? 1 : x < 0 ? -1 : 0;
function roundHalfEven(x: number): number {
  const below = Math.floor(x), rest = x - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
  return rounded === 0 ? Math.sign(x) * 0 : rounded;
}

/** Functions whose results are exact. */
const EXACT: Readonly<Record<string, (x: number) => number>> = {
  sqrt: (x) => Math.fround(Math.sqrt(x)),
  rcp: (x) => Math.fround(1 / x),
  neg: (x) => -x,
  abs: Math.abs,
  sign: truncateSign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  rhf: Math.f16round,
  truth: (x) => x === 0 ? 0 : 1,
  identity: (x) => x,
};

for (const [name, exact] of Object.entries(EXACT)) {
  testEach(`${name} is exact for all floats`, async ({ call }) => {
    const results = new Float32Array(SAMPLES.length);
    await call(name, SAMPLES, SAMPLES, results, SAMPLES.length);
    SAMPLES.forEach((x, i) => {
      ok(Object.is(results[i], exact(x)), `${name}(${x}) is ${exact(x)}: ${results[i]}`);
    });
  });
}

testEach("v_rbf() and all bfloat16 stores round half to even", async ({ call }) => {
  // 1 + 2^-8 is halfway and rounds to 1; 1 + 3 * 2^-8 is halfway and rounds to 1 + 2^-6; the largest floats to infinity
  deepStrictEqual([1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38].map(roundToBfloat16), [
    ...[1, 1 + 2 ** -6, Infinity],
  ]);
  const count = SAMPLES.length;
  const rounded = new Float32Array(count), back = new Float32Array(count);
  const stored = new Uint16Array(count), scalar = new Uint16Array(count);
  await call("rbf", SAMPLES, SAMPLES, rounded, count);
  await call("store_bf16", SAMPLES, SAMPLES, stored, count);
  await call("scalar_f2b", SAMPLES, SAMPLES, scalar, count);
  await call("load_bf16", stored, stored, back, count);
  SAMPLES.forEach((x, i) => {
    if (Math.abs(x) < 1.1754944e-38) return; // denormal: the processor may treat it as 0
    const expected = roundToBfloat16(x);
    ok(Object.is(rounded[i], expected), `v_rbf(${x}) is ${expected}: ${rounded[i]}`);
    ok(Object.is(back[i], expected), `${x} stored is ${expected}: ${back[i]}`);
    strictEqual(scalar[i], stored[i], `${x} as a scalar and in a vector`);
  });
  await call("scalar_b2f", stored, stored, rounded, count);
  deepStrictEqual(rounded, back);
});

/** Results for pairs, including those of NaN. */
const PAIRS: Readonly<Record<keyof typeof BINARY, (a: number, b: number) => number>> = {
  add: (a, b) => Math.fround(a + b),
  subtract: (a, b) => Math.fround(a - b),
  multiply: (a, b) => Math.fround(a * b),
  divide: (a, b) => Math.fround(a / b),
  max: (a, b) => a === b ? b : Math.max(a, b),
  min: (a, b) => a === b ? b : Math.min(a, b),
  pow: (a, b) => a === 1 || b === 0 ? 1 : Math.abs(a) === 1 && !isFinite(b) && b === b ? 1 : a ** b,
  copysign: (a, b) => bitsOf(b) >>> 31 ? -Math.abs(a) : Math.abs(a),
  fma: (a, b) => a * b + 1,
  gt: (a, b) => a > b ? 1 : 0,
  ge: (a, b) => a >= b ? 1 : 0,
  lt: (a, b) => a < b ? 1 : 0,
  le: (a, b) => a <= b ? 1 : 0,
  eq: (a, b) => a === b ? 1 : 0,
  ne: (a, b) => a !== b ? 1 : 0,
  sel: (a, b) => a < b ? a : b,
  keep: (a, b) => a < b ? b : 0,
  and: (a, b) => a < b && a !== 0 ? 1 : 0,
  or: (a, b) => a < b || a !== 0 ? 1 : 0,
  not: (a, b) => a < b ? 0 : 1,
};
/** Functions that are not rounded once on every processor: a * b + 1 is, if the processor has FMA. */
const PAIR_ULP: Readonly<Record<string, number>> = { pow: 1, fma: 1 };

for (const [name, expect] of Object.entries(PAIRS)) {
  testEach(`${name} of pairs of special floats`, async ({ call }) => {
    const pairs = SPECIAL.flatMap((a) => SPECIAL.map((b) => [a, b] as const));
    const some = Float32Array.from(pairs, ([a]) => a),
      others = Float32Array.from(pairs, ([, b]) => b);
    const results = new Float32Array(pairs.length);
    await call(name, some, others, results, pairs.length);
    some.forEach((a, i) => {
      const b = others[i] as number, expected = expect(a, b), actual = results[i] as number;
      const cancels = name === "fma" && Math.abs(a * b + 1) < 0.5; // with FMA, cancellation is exact
      const same = a === b && (name === "max" || name === "min") && actual === expected; // for ±0 either result is valid
      const near = Object.is(actual, expected) || cancels || same ||
        (PAIR_ULP[name] !== undefined && distanceInUlp(actual, expected) <= PAIR_ULP[name]);
      ok(near, `${name}(${a}, ${b}) is ${expected}: ${actual}`);
    });
  });
}

testEach("lane0, hsum, hmax and hmin reduce a vector to one float", async ({ call, lanes }) => {
  // lanes 1, 2, …, L with sum L (L + 1) / 2; then the same with a NaN at each position
  const upward = Float32Array.from({ length: lanes }, (_, i) => i + 1);
  const out = new Float32Array(1);
  const fold = async (name: string, x: Float32Array<ArrayBuffer>) => {
    await call(name, x, x, out, lanes);
    return out[0];
  };
  strictEqual(await fold("lane0", upward), 1);
  strictEqual(await fold("hsum", upward), lanes * (lanes + 1) / 2);
  strictEqual(await fold("hmax", upward), lanes);
  strictEqual(await fold("hmin", upward), 1);
  for (let lane = 0; lane < lanes; lane++) {
    for (const name of ["hsum", "hmax", "hmin"]) {
      strictEqual(await fold(name, upward.with(lane, NaN)), NaN, `${name}, NaN in lane ${lane}`);
    }
    strictEqual(await fold("hmax", upward.with(lane, 1000)), 1000);
    strictEqual(await fold("hmin", upward.with(lane, -Infinity)), -Infinity);
  }
});

testEach("masked operations access only the lanes of their mask", async ({ call, lanes }) => {
  const ARRAYS = { float: Float32Array, bf16: Uint16Array, int32: Int32Array, uint8: Uint8Array };
  for (const name of Object.keys(STORAGE) as (keyof typeof ARRAYS)[]) {
    for (let count = 0; count <= 2 * lanes; count++) {
      const given = Float32Array.from(
        { length: count },
        (_, i) => name === "uint8" ? i % 2 : i - 3,
      );
      const stored = new ARRAYS[name](count + 4).fill(77),
        back = new Float32Array(count + 4).fill(77);
      await call(`store_${name}`, given, given, stored, count);
      await call(`load_${name}`, stored, stored, back, count);
      deepStrictEqual([...stored.subarray(count)], [77, 77, 77, 77], `${count} of ${name}`);
      deepStrictEqual([...back], [...given, 77, 77, 77, 77], `${count} of ${name}`);
    }
  }
});

/** Results for integers in JavaScript's 32-bit arithmetic. */
const INTEGER_REFERENCE = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: Math.imul,
  div: (a, b) => b === 0 ? 0 : Math.trunc(a / b) | 0,
  pow: (a, b) => {
    const power = a ** b;
    return Math.abs(power) < 9e18 ? Number(BigInt.asIntN(32, BigInt(Math.trunc(power)))) : 0;
  },
  max: Math.max,
  min: Math.min,
  neg: (a) => -a | 0,
  abs: (a) => Math.abs(a) | 0,
  sign: Math.sign,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  gt: (a, b) => Number(a > b),
  ge: (a, b) => Number(a >= b),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
} as const satisfies Partial<Record<keyof typeof INTEGER, (a: number, b: number) => number>>;

const EDGES = [0, 1, -1, 2, -3, 7, 30, 46341, -46341, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31)];

testEach("integers are exact over 32 bits and wrap around", async ({ call, lanes }) => {
  const pairs = EDGES.flatMap((a) => EDGES.map((b) => [a, b] as const));
  const x = Int32Array.from(pairs, ([a]) => a), y = Int32Array.from(pairs, ([, b]) => b);
  for (const [name, compute] of Object.entries(INTEGER_REFERENCE)) {
    const z = new Int32Array(pairs.length);
    await call(`integer_${name}`, x, y, z, pairs.length);
    pairs.forEach(([a, b], i) => strictEqual(z[i], compute(a, b) + 0, `${name} of ${a} and ${b}`));
  }
  const z = new Int32Array(lanes), some = x.slice(100, 100 + lanes);
  for (
    const [name, value] of [
      ["sum", some.reduce((a, b) => (a + b) | 0, 0)],
      ["largest", Math.max(...some)],
      ["smallest", Math.min(...some)],
      ["first", some[0]],
    ] as const
  ) {
    await call(`integer_${name}`, some, some, z, lanes);
    deepStrictEqual([...z], [...z].fill(value ?? NaN), name);
  }
});

testEach("int32 and uint8 are converted as documented", async ({ call, lanes }) => {
  const given = Float32Array.from(
    { length: lanes },
    (_, i) => [1.9, -1.9, 0.5, -0, 1e-40][i % 5] ?? 0,
  );
  const whole = new Int32Array(lanes), truth = new Uint8Array(lanes);
  await call("store_int32", given, given, whole, lanes);
  await call("store_uint8", given.with(0, NaN), given, truth, lanes);
  deepStrictEqual([...whole.subarray(0, 4)], [1, -1, 0, 0]); // truncated
  deepStrictEqual([...truth.subarray(0, 4)], [1, 1, 1, 0]); // NaN is true, -0 is not
  const bytes = Uint8Array.from({ length: lanes }, (_, i) => 255 - i),
    floats = new Float32Array(lanes);
  await call("load_uint8", bytes, bytes, floats, lanes);
  deepStrictEqual([...floats], [...bytes]);
  await call("iota_from", floats, floats, floats, 16777200);
  deepStrictEqual([...floats], Array.from({ length: lanes }, (_, i) => 16777200 + i));
});

testEach(
  "v_dropmask() computes computeDropoutMask()'s mask bit for bit",
  async ({ call, lanes }) => {
    const [rows, columns] = [13, 7 * lanes];
    for (const [seed, rate] of [[1, 0.1], [-123456789, 0.5], [2 ** 31 - 1, 0.9]] as const) {
      const site = `site/${rate}`, keys = siteKeys(site);
      const expected = computeDropoutMask(seed, { shape: [rows, columns], rate, site });
      const start = (key: number) => {
        let h = seed ^ key; // the finalizer again, since the counter starts at a hash
        h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
        h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
        return h ^ (h >>> 16);
      };
      const scale = Float32Array.of(1 / (1 - rate)), out = new Float32Array(2 * columns);
      for (let row = 0; row < rows; row++) {
        const words = [start(keys.row), start(keys.column), row, keepThreshold(rate)];
        await call("dropout", Int32Array.from(words), scale, out, columns);
        deepStrictEqual(
          out.slice(0, columns),
          expected.slice(row * columns, (row + 1) * columns),
          `seed ${seed}, rate ${rate}, row ${row}`,
        );
      }
    }
  },
);

Deno.test("the reference functions agree with known values", () => {
  strictEqual(floatOf(0x3f800001), 1 + 2 ** -23);
  // Abramowitz and Stegun, table 7.1
  for (const [x, value] of [[0.5, 0.5204998778], [1, 0.8427007929], [2, 0.9953222650]] as const) {
    ok(Math.abs(erf(x) - value) < 1e-10);
  }
  strictEqual(distanceInUlp(1 + 2 ** -23, 1), 1);
});
