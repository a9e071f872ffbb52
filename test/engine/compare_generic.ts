/**
 * Random functions with dynamic dimensions: the generic program is compared with programs traced at each shape.
 * @module
 */
import { ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import fc from "fast-check";
import type { DynamicDimensions } from "@/engine/dynamic_dimensions.ts";
import { jit, onCompile } from "@/engine/jit.ts";
import { followGenericPlan, type GenericPlan, genericPlans } from "./generic_plans.ts";
import { areClose, leafValues } from "./random_graphs.ts";

/** The dynamic dimensions of {@link makeInputs}. */
export const DYNAMIC: DynamicDimensions = {
  axes: { ids: ["B", "T"], x: ["B", "T", "3"], y: ["B", "T"], z: ["B"], u: ["T"] },
  limits: { T: 64 },
};

/** Sequences of sizes at which functions are compared. */
const SIZES = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 20 })), {
  minLength: 1,
  maxLength: 3,
});

/** Inputs of a plan. */
export type Inputs = { readonly [name: string]: tf.Tensor };

/** Inputs with the given sizes. */
export function makeInputs(rows: number, length: number): Inputs {
  const real = (shape: number[], k: number) => tf.tensor(leafValues(shape, k), shape);
  const size = rows * length;
  return {
    ids: tf.tensor2d(
      Int32Array.from({ length: size }, (_, i) => (3 * i) % 7),
      [rows, length],
      "int32",
    ),
    x: real([rows, length, 3], 1),
    y: real([rows, length], 2),
    z: real([rows], 3),
    u: real([length], 4),
    seed: tf.scalar(5, "int32"),
  };
}

/** Runs a plan and returns its result, the gradients by its inputs and a table, and an updated variable. */
export function runPlan(plan: GenericPlan, table: tf.Variable, inputs: Inputs) {
  const { ids, x, y, z, u, seed } = inputs as Required<Record<string, tf.Tensor>> & Inputs;
  const follow = (x: tf.Tensor, y: tf.Tensor, rows: tf.Tensor) =>
    followGenericPlan(
      plan,
      [
        { x, axes: ["B", "T", "3"] },
        { x: y, axes: ["B", "T"] },
        { x: z as tf.Tensor, axes: ["B"] },
        { x: u as tf.Tensor, axes: ["T"] },
      ],
      {
        ids: { x: ids as tf.Tensor, axes: ["B", "T"] },
        seed: seed as tf.Scalar,
        table: rows as tf.Tensor2D,
      },
    ).map(({ x }) => x);
  const results = follow(x as tf.Tensor, y as tf.Tensor, table);
  const gradients = tf.grads((...given) => {
    const [x, y, rows] = given as [tf.Tensor, tf.Tensor, tf.Tensor];
    return tf.addN([
      ...[x, y, rows].map((each) => tf.mul(tf.sum(each), 0.1)),
      ...follow(x, y, rows).map((each) => tf.sum(tf.tanh(each))),
    ]);
  })([x as tf.Tensor, y as tf.Tensor, table]);
  table.assign(tf.sub(table, tf.mul(gradients[2] as tf.Tensor, 0.01)));
  return Object.fromEntries([...results, ...gradients].map((each, i) => [`t${i}`, each]));
}

/** Results of a plan at a sequence of sizes, compiled generically or per shape, and the number of compilations. */
async function follow(
  plan: GenericPlan,
  sizes: readonly (readonly [number, number])[],
  dynamic: DynamicDimensions | null,
): Promise<{ readonly values: Float32Array[][]; readonly compiled: number }> {
  let compiled = 0;
  onCompile(() => void compiled++);
  const table = tf.tidy(() => tf.variable(tf.tensor(leafValues([7, 3], 9), [7, 3])));
  const program = jit(
    "plan",
    (inputs: Inputs) => runPlan(plan, table, inputs),
    dynamic === null ? {} : { dynamic },
  );
  const values: Float32Array[][] = [];
  for (const [rows, length] of sizes) {
    const inputs = makeInputs(rows, length);
    const outputs = await program(inputs);
    const all = await Promise.all([...Object.values(outputs), table].map((each) => each.data()));
    values.push(all as Float32Array[]);
    tf.dispose([inputs, outputs]);
  }
  program.release();
  table.dispose();
  onCompile(() => {});
  return { values, compiled };
}

/** Largest difference of results, relative to 1 + their magnitude. */
const TOLERANCE = 1e-5;

/** Rows and tokens of a call. */
type Shape = readonly [rows: number, length: number];

/** Compares a plan's generic program with programs per shape. Returns true if it has a generic program. */
async function compareAt(plan: GenericPlan, shapes: readonly Shape[]): Promise<boolean> {
  const before = tf.memory().numTensors;
  const expected = await follow(plan, shapes, null), actual = await follow(plan, shapes, DYNAMIC);
  strictEqual(tf.memory().numTensors, before, "tensors left behind");
  for (const [at, values] of expected.values.entries()) {
    for (const [i, wanted] of values.entries()) {
      const got = actual.values[at]?.[i] ?? [];
      ok(areClose(got, wanted, TOLERANCE), `sizes ${shapes[at]}, result ${i}: ${got} ${wanted}`);
    }
  }
  return actual.compiled === 1;
}

/** Compares `count` random functions; returns the number with a generic program. `onFunction` reports progress. */
export async function compareGeneric(
  { count, seed, onFunction = () => {} }: {
    readonly count: number;
    readonly seed?: number;
    readonly onFunction?: (done: number) => void;
  },
): Promise<{ readonly functions: number; readonly generic: number }> {
  let functions = 0, generic = 0;
  const property = fc.asyncProperty(genericPlans, SIZES, async (plan, shapes) => {
    if (await compareAt(plan, [[1, 1], ...shapes])) generic++;
    onFunction(++functions);
  });
  await fc.assert(property, { numRuns: count, ...(seed === undefined ? {} : { seed }) });
  return { functions, generic };
}
