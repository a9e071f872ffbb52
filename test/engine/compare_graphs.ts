/**
 * Compares random graphs on the engine with TensorFlow.js's own `cpu` backend, eagerly and as one program of `jit`.
 * @module
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import { BACKEND } from "@/engine/backend.ts";
import { jit } from "@/engine/jit.ts";
import {
  ALL_STEPS,
  areClose,
  followPlan,
  leafValues,
  type Plan,
  plansOf,
} from "./random_graphs.ts";

/** Largest difference of results, relative to 1 + their magnitude. */
const TOLERANCE = 1e-4;

const makeLeaves = (plan: Plan) =>
  plan.shapes.map((shape, k) => tf.tensor(leafValues(shape, k), shape));

/** Results of a plan on TensorFlow.js's backend `name`. */
async function followOn(name: string, plan: Plan) {
  await tf.setBackend(name);
  const results = tf.tidy(() => followPlan(plan, makeLeaves(plan)));
  const values = results.map((t) => ({ data: t.dataSync(), shape: t.shape, dtype: t.dtype }));
  tf.dispose(results);
  return values;
}

/** Fails if a plan's results on the open engine differ from those of TensorFlow.js. */
export async function comparePlan(plan: Plan): Promise<void> {
  const expected = await followOn("cpu", plan);
  const eager = await followOn(BACKEND, plan);
  for (const [i, { data, shape, dtype }] of expected.entries()) {
    const { data: actual = [], ...rest } = eager[i] ?? {};
    deepStrictEqual(rest, { shape, dtype }, `eager result ${i}`);
    ok(areClose(actual, data, TOLERANCE), `eager result ${i}: ${actual} ${data}`);
  }
  const compiled = jit("random", (leaves: Record<string, tf.Tensor>) => {
    const results = followPlan(plan, Object.values(leaves));
    return Object.fromEntries(results.map((x, i) => [`t${i}`, x]));
  });
  const leaves = Object.fromEntries(makeLeaves(plan).map((x, k) => [`x${k}`, x]));
  const outputs = Object.values(await compiled(leaves));
  for (const [i, { data }] of expected.entries()) {
    const actual = await (outputs[i] as tf.Tensor).data();
    ok(areClose(actual, data, TOLERANCE), `compiled result ${i}: ${actual} ${data}`);
  }
  tf.dispose([leaves, outputs]);
  compiled.release();
}

/** Runs {@link comparePlan} for `count` plans of all operations; `onGraph` reports progress. */
export async function compareGraphs(
  { count, seed, onGraph = () => {} }: {
    readonly count: number;
    readonly seed: number;
    readonly onGraph?: (done: number) => void;
  },
): Promise<void> {
  let done = 0;
  const property = fc.asyncProperty(plansOf(ALL_STEPS), async (plan) => {
    await comparePlan(plan);
    onGraph(++done);
  });
  await fc.assert(property, { numRuns: count, seed });
}
