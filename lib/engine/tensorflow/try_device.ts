/**
 * Tests device `tensorflow` with a matrix product in every precision and reports which ones it supports.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { type Precision, PRECISIONS } from "@/engine/options.ts";
import { openTensorflow, type TensorflowOptions } from "@/engine/tensorflow/open_device.ts";
import { RefusalError } from "@/engine/errors.ts";

/** Result of the test in one precision. */
export type Trial = {
  readonly precision: Precision;
  /** Reason why the precision is not supported; null if it is. */
  readonly refusal: string | null;
  /** Largest absolute error of an element; its terms are at most 1. */
  readonly error: number;
  /** Throughput in 10⁹ multiplications and additions per second. */
  readonly gflops: number;
};

/** Side length of the square matrices. */
export const SIDE = 512;
/** Number of products; the fastest counts. */
const RUNS = 3;
/** Largest error of a sum of {@link SIDE} terms of size 1; half of it is from rounding a result of that size. */
const LARGEST_ERROR = { "float32": 1e-3, "mixed-bfloat16": 2, "mixed-float16": 0.25 } as const;

/** Multiplies matrices in every precision and compares the results with the exact ones. */
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
    if (!(error instanceof RefusalError)) throw error;
    return { precision, refusal: error.message, error: NaN, gflops: 0 };
  }
  const { fastestMs, error } = await multiplyWaves(nowMs);
  if (!(error <= LARGEST_ERROR[precision])) {
    throw new RangeError(
      `Cannot use this TensorFlow: its matrix products in ${precision} are inaccurate (an element ` +
        `is off by ${error}, more than ${LARGEST_ERROR[precision]})`,
    );
  }
  return { precision, refusal: null, error, gflops: 2 * SIDE ** 3 / fastestMs / 1e6 };
}

/** Squares the matrix of all waves cos(2πij/n); returns the shortest time and the largest error. */
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
      // Waves of different frequency are orthogonal: an element is nonzero only if i = ±j.
      const isZero = i !== j && i + j !== SIDE;
      const known = isZero ? 0 : i === 0 || 2 * i === SIDE ? SIDE : SIDE / 2;
      error = Math.max(error, Math.abs((found[at] ?? NaN) - known));
    }
  }
  waves.dispose();
  return { fastestMs, error };
}
