/**
 * What autocast does, seen from outside: the error of a product and of a softmax under each precision.
 * Shapes: M × K and K × M matrices.
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Precision } from "@/config.ts";
import { openEngine } from "@/engine/engine.ts";
import { jit } from "@/engine/jit.ts";
import { stream } from "@/random.ts";

/** Largest errors against the same in float64, as shares of the largest value. */
export type PrecisionErrors = {
  readonly precision: Precision;
  readonly product: number;
  readonly softmax: number;
};

const M = 48, K = 256;

/** Compiles a product and a softmax under `precision`, runs both and measures them; engine stays so opened. */
export async function tryPrecision(precision: Precision): Promise<PrecisionErrors> {
  await openEngine({ precision });
  const { normal } = stream(1, "try precision");
  const a = Float32Array.from({ length: M * K }, normal); // [M, K]
  const b = Float32Array.from({ length: K * M }, normal); // [K, M]
  const program = jit(`try ${precision}`, ({ a, b }: { a: tf.Tensor2D; b: tf.Tensor2D }) => ({
    product: tf.matMul(a, b), // [M, M]
    softmax: tf.softmax(a), // [M, K]
  }));
  const inputs = { a: tf.tensor2d(a, [M, K]), b: tf.tensor2d(b, [K, M]) };
  const outputs = await program(inputs);
  const product = await outputs.product.data(), softmax = await outputs.softmax.data();
  tf.dispose([inputs, outputs]);
  return {
    precision,
    product: largestError(product, multiply(a, b)),
    softmax: largestError(softmax, normalizeExponents(a)),
  };
}

function largestError(found: ArrayLike<number>, wanted: Float64Array): number {
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs((found[i] ?? NaN) - value)), 0) /
    largest;
}

function multiply(a: Float32Array, b: Float32Array): Float64Array {
  return Float64Array.from({ length: M * M }, (_, at) => {
    const row = Math.floor(at / M), column = at % M;
    let sum = 0;
    for (let k = 0; k < K; k++) sum += (a[row * K + k] ?? 0) * (b[k * M + column] ?? 0);
    return sum;
  });
}

function normalizeExponents(a: Float32Array): Float64Array {
  const wanted = new Float64Array(M * K);
  for (let row = 0; row < M; row++) {
    const powers = Float64Array.from(a.subarray(row * K, (row + 1) * K), Math.exp);
    const sum = powers.reduce((total, power) => total + power, 0);
    wanted.set(powers.map((power) => power / sum), row * K);
  }
  return wanted;
}
