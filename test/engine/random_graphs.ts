/**
 * Random graphs of TensorFlow.js operations: plans that fast-check draws and that any backend can follow.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { SMOOTH, STEPS } from "./random_steps.ts";

/** Names of all operations, and of those that have gradients. */
export const ALL_STEPS = Object.keys(STEPS);
export const SMOOTH_STEPS = Object.keys(SMOOTH);

/** Shapes of leaves, and operations one after another. */
export type Plan = {
  readonly shapes: number[][];
  readonly steps: { name: string; picks: number[] }[];
};

/** Plans of given operations; sizes of axes begin at `least`. */
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

/** Runs a plan's steps on given leaves and gives all results. */
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

/** Leaf values as a function of position, so that all backends get the same. */
export function leafValues(shape: readonly number[], k: number): Float32Array {
  return Float32Array.from(
    { length: tf.util.sizeFromShape([...shape]) },
    (_, i) => Math.sin(1.7 * i + k + 1),
  );
}

/** Whether all elements are within `tolerance` · (1 + |expected|), NaN and infinities alike. */
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
