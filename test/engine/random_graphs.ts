/**
 * Random graphs of TensorFlow.js operations: plans that fast-check generates and any backend can run.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { SMOOTH, STEPS } from "./random_steps.ts";

/** Names of all operations, and of the differentiable ones. */
export const ALL_STEPS = Object.keys(STEPS);
export const SMOOTH_STEPS = Object.keys(SMOOTH);

/** Shapes of the leaves and a sequence of operations. */
export type Plan = {
  readonly shapes: number[][];
  readonly steps: { name: string; picks: number[] }[];
};

/** Random plans of the given operations; axes have at least size `least`. */
export function plansOf(names: readonly string[], least = 0): fc.Arbitrary<Plan> {
  return fc.record({
    shapes: fc.array(fc.array(fc.integer({ min: least, max: 4 }), { maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    }),
    steps: fc.array(
      fc.record({
        name: fc.constantFrom(...names),
        picks: fc.array(fc.nat(100), { minLength: 2, maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  });
}

/** Runs a plan's steps on the given leaves and returns all results. */
export function followPlan({ steps }: Plan, leaves: readonly tf.Tensor[]): tf.Tensor[] {
  const tensors = [...leaves];
  for (const { name, picks } of steps) {
    let drawn = 0;
    const pick = (count: number) => (picks[drawn++ % 2] as number) % count;
    const result = STEPS[name]?.(tensors, pick) ?? null;
    if (result !== null && result.size < 5000 && result.rank < 5) tensors.push(result);
  }
  return tensors.slice(leaves.length);
}

/** Values of leaf `k`, a function of the position only, so that all backends get the same values. */
export function leafValues(shape: readonly number[], k: number): Float32Array {
  return Float32Array.from(
    { length: tf.util.sizeFromShape([...shape]) },
    (_, i) => Math.sin(1.7 * i + k + 1),
  );
}

/** True if all elements are within `tolerance` · (1 + |expected|), or equally NaN or infinite. */
export function areClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): boolean {
  return actual.length === expected.length &&
    Array.from(expected).every((e, i) =>
      Object.is(actual[i], e) || actual[i] === e ||
      Math.abs((actual[i] as number) - e) <= tolerance * (1 + Math.abs(e))
    );
}
