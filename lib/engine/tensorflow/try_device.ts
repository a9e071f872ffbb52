/**
 * Tries device `tensorflow` with a product in every precision, so that who sets it up sees what it can do.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Precision, PRECISIONS } from "@/config.ts";
import { openTensorflow, type TensorflowOptions } from "@/engine/tensorflow/open_device.ts";

/** How products in a precision went. */
export type Trial = {
  readonly precision: Precision;
  /** Why the precision is refused; null where it is not. */
  readonly refusal: string | null;
  /** The largest error of an element whose terms are of size 1. */
  readonly error: number;
  /** 10⁹ multiplications and additions a second. */
  readonly gflops: number;
};

/** Sides of the square matrices that are multiplied. */
export const SIDE = 512;
/** Products of which the fastest counts. */
const RUNS = 3;
/** Largest error of a sum of {@link SIDE} terms of size 1, half of it from rounding a result of that size. */
const LARGEST_ERROR = { "float32": 1e-3, "mixed-bfloat16": 2, "mixed-float16": 0.25 } as const;

/** Multiplies matrices in every precision and compares with what is known of the result. */
export async function tryPrecisions(
  options: Omit<TensorflowOptions, "precision">,
  nowMs: () => number,
): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  for (const precision of PRECISIONS) trials.push(await tryPrecision(precision, options, nowMs));
  await openTensorflow({ ...options, precision: "float32" });
  return trials;
}

async function tryPrecision(
  precision: Precision,
  options: Omit<TensorflowOptions, "precision">,
  nowMs: () => number,
): Promise<Trial> {
  try {
    await openTensorflow({ ...options, precision });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { precision, refusal: error.message, error: NaN, gflops: 0 };
  }
  const { fastestMs, error } = await multiplyWaves(nowMs);
  if (!(error <= LARGEST_ERROR[precision])) {
    throw new RangeError(
      `Cannot use this TensorFlow as products in ${precision} must be right to ` +
        `${LARGEST_ERROR[precision]}: an element is off by ${error}`,
    );
  }
  return { precision, refusal: null, error, gflops: 2 * SIDE ** 3 / fastestMs / 1e6 };
}

/** The square of the matrix of all waves cos(2πij/n), how long it took and how far off it is. */
async function multiplyWaves(
  nowMs: () => number,
): Promise<{ readonly fastestMs: number; readonly error: number }> {
  const wave = (i: number, j: number) => Math.cos(2 * Math.PI * ((i * j) % SIDE) / SIDE);
  const places = Array.from({ length: SIDE ** 2 }, (_, at) => [Math.floor(at / SIDE), at % SIDE]);
  const waves = tf.tensor2d(places.map(([i = 0, j = 0]) => wave(i, j)), [SIDE, SIDE]);
  let fastestMs = Infinity, error = 0;
  for (let run = 0; run < RUNS; run++) {
    const startMs = nowMs();
    const matmul = tf.matMul(waves, waves);
    const found = await matmul.data();
    fastestMs = Math.min(fastestMs, nowMs() - startMs);
    matmul.dispose();
    for (const [at, [i = 0, j = 0]] of places.entries()) {
      // Waves of different lengths are orthogonal: a sum is not zero only where i = ±j.
      const isZero = i !== j && i + j !== SIDE;
      const known = isZero ? 0 : i === 0 || 2 * i === SIDE ? SIDE : SIDE / 2;
      error = Math.max(error, Math.abs((found[at] ?? NaN) - known));
    }
  }
  waves.dispose();
  return { fastestMs, error };
}
