/**
 * Measurements for notebooks: the rounding error of a matmul and of a softmax in mixed precision, the loss scale of a run,
 * the confidence and the calibration of its classifier.
 * Shapes: matrices [M, K] and [K, M].
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import type { Precision } from "@/engine/options.ts";
import { nextKernelInterrupt } from "@/system/interrupt.ts";
import { openEngine } from "@/engine/engine.ts";
import { jit } from "@/engine/jit.ts";
import { stream } from "@/random.ts";
import type { RunRecord } from "@/report/readers/run_record.ts";
import type { RunScores } from "@/export/score_run.ts";
import { openTextModel } from "@/eval/text_model.ts";

/** Largest absolute errors compared with float64, as fractions of the largest value. */
type PrecisionErrors = {
  readonly precision: Precision;
  readonly matmul: number;
  readonly softmax: number;
};

const M = 48, K = 256;

/** Measures the errors of a matmul and a softmax under `precision`. Leaves the engine open in that precision. */
export async function tryPrecision(precision: Precision): Promise<PrecisionErrors> {
  nextKernelInterrupt(); // from here on an interrupt ends the work, not the kernel
  await openEngine({ precision });
  const { normal } = stream(1, "try precision");
  const a = Float32Array.from({ length: M * K }, normal); // [M, K]
  const b = Float32Array.from({ length: K * M }, normal); // [K, M]
  const program = jit(`try ${precision}`, ({ a, b }: { a: tf.Tensor2D; b: tf.Tensor2D }) => ({
    matmul: tf.matMul(a, b), // [M, M]
    softmax: tf.softmax(a), // [M, K]
  }));
  const inputs = { a: tf.tensor2d(a, [M, K]), b: tf.tensor2d(b, [K, M]) };
  const outputs = await program(inputs);
  const matmul = await outputs.matmul.data(), softmax = await outputs.softmax.data();
  tf.dispose([inputs, outputs]);
  return {
    precision,
    matmul: largestError(matmul, multiply(a, b)),
    softmax: largestError(softmax, normalizeExponents(a)),
  };
}

/** Loss scale after the last logged step of a run in mixed-float16, and its number of skipped steps. */
export function lastLossScale(
  { record }: { readonly record: Pick<RunRecord, "train"> },
): { readonly lossScale: number; readonly skipped: number } {
  const { lossScale, skipped } = record.train.at(-1) ?? {};
  if (lossScale === undefined || skipped === undefined) {
    throw new RangeError("The run has no loss scale: only runs in mixed-float16 have one");
  }
  return { lossScale, skipped };
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

/** Confidence of a classifier on some texts. */
type Confidence = {
  /** Mean difference of the two highest logits, in nats. */
  readonly "margin (nats)": number;
  /** Mean probability of the most probable class. */
  readonly confidence: number;
};

/** Measures the confidence of the first classification task of the run in `dir`. */
export async function measureMargins(dir: string, texts: readonly string[]): Promise<Confidence> {
  using model = await openTextModel(dir);
  const predictions = await model.createPredictor({ rows: 32 }).predict(texts);
  const sorted = predictions.flatMap(({ labels }) =>
    Object.values(labels).slice(0, 1).map(({ probabilities }) =>
      Object.values(probabilities).sort((a, b) => b - a)
    )
  );
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    // log p1 - log p2 equals the difference of the logits
    "margin (nats)": mean(sorted.map(([first = NaN, second = NaN]) => Math.log(first / second))),
    confidence: mean(sorted.map(([first = NaN]) => first)),
  };
}

/** Calibration of a classification task on test, before and after scaling by the temperature of validation. */
export function pickCalibration({ scores }: { readonly scores: RunScores }, task: string) {
  const { ece, temperature, scaledEce } = scores.classification(task);
  if (ece === undefined || temperature === undefined || scaledEce === undefined) {
    throw new RangeError(`${task} has no calibration: no temperature was fitted on validation`);
  }
  return {
    "calibration error (%)": 100 * ece,
    temperature,
    "error at this temperature (%)": 100 * scaledEce,
  };
}
