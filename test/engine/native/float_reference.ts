/**
 * Float32 arithmetic for tests: samples of all floats, distances in units in the last place (ulp), reference functions.
 */

const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

/** The float with the bits `pattern`. */
export function floatOf(pattern: number): number {
  bits[0] = pattern;
  return value[0] as number;
}

/** The bits of a float. */
export function bitsOf(float: number): number {
  value[0] = float;
  return bits[0] as number;
}

/** Special floats, and the limits between ranges of the functions, with adjacent floats. */
export const SPECIAL = [
  ...[
    0,
    -0,
    Infinity,
    -Infinity,
    NaN,
    1e-45,
    -1e-45,
    1.1754942e-38,
    1.17549435e-38,
    -1.1754944e-38,
  ],
  ...[3.4028235e38, -3.4028235e38, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 8388607.5, 8388608, 16777216],
  ...[0.6, 0.927734375, 0.75, 3.9999998, 4, 10, 88.72283, 88.72284, -87.33655, -103.97208, -104],
  ...[8192, 8193, Math.PI / 2, Math.PI, 65504, 65519.996, 65520, 6.1035156e-5, 5.9604645e-8],
].flatMap((x) => {
  const at = bitsOf(x);
  return Number.isFinite(x) && x !== 0 ? [x, floatOf(at - 1), floatOf(at + 1)] : [x];
});

/** Special floats, every `step`-th bit pattern, and a grid of `dense` floats on [-20, 20]. */
export function sampleFloats(step: number, dense: number): Float32Array<ArrayBuffer> {
  const samples = [...SPECIAL];
  for (let pattern = 0; pattern < 2 ** 32; pattern += step) samples.push(floatOf(pattern));
  for (let i = 0; i <= dense; i++) samples.push(-20 + 40 * i / dense);
  return Float32Array.from(samples);
}

/** The spacing of floats around a real number. */
function lastPlace(real: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(real), 2 ** -126)));
  return 2 ** (exponent - 23);
}

/** Distance of `actual` from `real` in ulp; Infinity if only one of them is finite or NaN. */
export function distanceInUlp(actual: number, real: number): number {
  const rounded = Math.fround(real);
  if (Object.is(actual, rounded) || (Number.isNaN(actual) && Number.isNaN(real))) return 0;
  if (Number.isNaN(actual) || Number.isNaN(real)) return Infinity;
  if (!Number.isFinite(actual) || !Number.isFinite(rounded)) {
    return Math.abs(real) > 3.4028234e38 && Math.abs(actual) > 3.4028234e38 ? 1 : Infinity;
  }
  return Math.abs(actual - real) / lastPlace(real);
}

/** erf as 2 / √π e^(-x²) Σ 2^n x^(2n+1) / (2n+1)!!, whose terms all have the same sign. */
export function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return x === 0 ? x : 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** Rounds a float to bfloat16, half to even, in real arithmetic. */
export function roundToBfloat16(x: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const place = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -126) - 7);
  const scaled = x / place, below = Math.floor(scaled), rest = scaled - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  const rounded = (below + (up ? 1 : 0)) * place;
  if (Math.abs(rounded) > 3.4e38) return Math.sign(x) * Infinity;
  return rounded === 0 ? Math.sign(x) * 0 : rounded;
}
