/**
 * Random matrix products for gemm_test.ts and their results by plain float64 loops over the stored operands. Shapes:
 * A [M, K], B [K, N], C [M, N], with `items` of each.
 * @module
 */
import { MATMUL_FLAGS } from "@/engine/native/abi.ts";

/** Properties of a matrix product, which can be combined freely. */
export type Matmul = {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly items: readonly [number, number];
  /** Items of the second batch dimension are side by side in a row, like attention heads. */
  readonly interleaved: boolean;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Unused elements at the end of each stored row. */
  readonly padding: number;
  readonly bf16: { readonly a: boolean; readonly b: boolean; readonly c: boolean };
  readonly inBf16: boolean;
  readonly accumulate: boolean;
  readonly bias: boolean;
  /** Rounding of sums and bias before they are added to C. */
  readonly rounding: "none" | "bfloat16" | "float16";
  /** B is packed by the first run and reused by the second; for a single item only. */
  readonly persistentB: boolean;
  readonly seed: number;
};

/** The matrices of all items in memory: strides in elements, values as stored. */
type Stored = {
  readonly row: number;
  readonly column: number;
  readonly item: readonly [number, number];
  readonly bf16: boolean;
  readonly values: Float64Array;
};

const oneFloat = new Float32Array(1);
const itsBits = new Uint32Array(oneFloat.buffer);

/** Rounds to the nearest bfloat16, ties to even. */
export function roundToBf16(value: number): number {
  oneFloat[0] = value;
  const word = itsBits[0] ?? 0;
  if (Number.isFinite(value)) itsBits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return oneFloat[0] ?? NaN;
}

/** Reproducible pseudorandom values in [-1, 1) that are exact in float32 or bfloat16. */
function randomValues(length: number, bf16: boolean, seed: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = Math.fround((state >>> 8) / 2 ** 23 - 1);
    return bf16 ? roundToBf16(value) : value;
  });
}

function layOut(
  [rows, columns]: readonly [number, number],
  transposed: boolean,
  bf16: boolean,
  { items, interleaved, padding, seed }: Matmul,
  salt: number,
): Stored {
  const [outer, inner] = transposed ? [columns, rows] : [rows, columns]; // as stored
  const stride = inner * (interleaved ? items[1] : 1) + padding;
  const second = interleaved ? inner : outer * stride;
  const first = interleaved ? outer * stride : items[1] * second;
  const length = (items[0] - 1) * first + (items[1] - 1) * second + (outer - 1) * stride + inner;
  return {
    row: transposed ? 1 : stride,
    column: transposed ? stride : 1,
    item: [first, second],
    bf16,
    values: randomValues(length, bf16, seed + salt),
  };
}

/** Encodes values as float32 or bfloat16. */
export function toBytes(values: Float64Array, bf16: boolean): Uint8Array {
  const words = new Uint32Array(Float32Array.from(values).buffer);
  const halves = bf16 ? Uint16Array.from(words, (word) => word >>> 16) : words;
  return new Uint8Array(halves.buffer.slice(0));
}

/** Decodes bytes written by {@linkcode toBytes}. */
export function fromBytes(bytes: Uint8Array, bf16: boolean): Float64Array {
  const buffer = bytes.slice().buffer;
  const words = bf16
    ? Uint32Array.from(new Uint16Array(buffer), (half) => half << 16)
    : new Uint32Array(buffer);
  return Float64Array.from(new Float32Array(words.buffer));
}

const ROUNDING_FLAGS = {
  none: 0,
  bfloat16: MATMUL_FLAGS.roundBf16,
  float16: MATMUL_FLAGS.roundF16,
};

/** Largest relative rounding errors; float16 also has subnormal numbers, 2^-24 apart. */
const ROUNDING_ERRORS = { none: 0, bfloat16: 2 ** -8, float16: 2 ** -11 };

/** Operands of a matrix product in memory, and its numbers for the instruction table. */
export function prepareMatmul(p: Matmul) {
  const a = layOut([p.m, p.k], p.transposeA, p.bf16.a, p, 1);
  const b = layOut([p.k, p.n], p.transposeB, p.bf16.b, p, 2);
  const c = layOut([p.m, p.n], false, p.bf16.c, p, 3);
  const bias = p.bias ? randomValues(p.n, false, p.seed + 4) : null;
  const F = MATMUL_FLAGS;
  const flags = (p.bf16.a ? F.aBf16 : 0) | (p.bf16.b ? F.bBf16 : 0) | (p.bf16.c ? F.cBf16 : 0) |
    (p.accumulate ? F.accumulate : 0) | (p.inBf16 ? F.inBf16 : 0) | ROUNDING_FLAGS[p.rounding] |
    (p.persistentB ? F.persistentB : 0);
  // the stride of a dimension of size 1 is arbitrary
  const stride = (size: number, of: number) => (size === 1 && p.seed % 2 === 1 ? 0 : of);
  const numbers = [p.m, p.n, p.k, flags]
    .concat(stride(p.m, a.row), stride(p.k, a.column), stride(p.k, b.row), stride(p.n, b.column))
    .concat(stride(p.m, c.row))
    .concat(p.items, a.item, b.item, c.item);
  return { a, b, c, bias, numbers };
}

/** Expected C, and the tolerance of each element (0: must be unchanged). */
type Exact = { readonly wanted: Float64Array; readonly tolerance: Float64Array };

const known = new Map<string, Exact>(); // several builds compute the same products

/** {@linkcode Exact} of a product, computed once. */
export function multiplyExactly(matmul: Matmul): Exact {
  const key = JSON.stringify(matmul);
  const exact = known.get(key) ?? loopOverMatmul(matmul);
  known.set(key, exact);
  return exact;
}

function loopOverMatmul(p: Matmul): Exact {
  const { a, b, c, bias } = prepareMatmul(p);
  const wanted = c.values.slice();
  const tolerance = new Float64Array(wanted.length);
  const round = p.inBf16 ? roundToBf16 : (value: number) => value;
  const [left, right] = [a.values.map(round), b.values.map(round)];
  for (let i1 = 0; i1 < p.items[0]; i1++) {
    for (let i2 = 0; i2 < p.items[1]; i2++) {
      const start = ({ item }: Stored) => i1 * item[0] + i2 * item[1];
      for (let i = 0; i < p.m; i++) {
        for (let j = 0; j < p.n; j++) {
          const at = start(c) + i * c.row + j;
          const onto = p.accumulate ? c.values[at] ?? NaN : 0;
          let sum = bias?.[j] ?? 0;
          let size = Math.abs(sum) + Math.abs(onto);
          for (let k = 0; k < p.k; k++) {
            const x = left[start(a) + i * a.row + k * a.column] ?? NaN;
            const y = right[start(b) + k * b.row + j * b.column] ?? NaN;
            sum += x * y;
            size += Math.abs(x * y);
          }
          wanted[at] = sum + onto;
          // K + 2 float32 additions in any order, products rounded; then possibly bfloat16
          tolerance[at] = (p.k + 3) * 2 ** -24 * size + 1e-37;
          if (p.rounding !== "none") {
            tolerance[at] += ROUNDING_ERRORS[p.rounding] * Math.abs(sum) * 1.001 + 2 ** -25;
          }
          if (c.bf16) tolerance[at] += 2 ** -8 * Math.abs(sum + onto) * 1.01;
        }
      }
    }
  }
  return { wanted, tolerance };
}
