/**
 * Outputs that ONNX Runtime's optimizations have lost: those of matrix products with a transposed operand or result.
 */
import { deepStrictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { jit } from "@/engine/jit.ts";

await openEngine({ threads: 2, executor: "onnx" });

type Matrices = { readonly x: tf.Tensor2D; readonly y: tf.Tensor2D };

/** Results of a compiled program for x = [1 2; 3 4] and y = [1 0; 2 5]. */
async function compute(run: (matrices: Matrices) => Record<string, tf.Tensor>) {
  const compiled = jit("products", run);
  const matrices = { x: tf.tensor2d([[1, 2], [3, 4]]), y: tf.tensor2d([[1, 0], [2, 5]]) };
  const results = await compiled(matrices);
  const values = Object.entries(results).map(([name, x]) => [name, x.arraySync()]);
  tf.dispose([matrices, results]);
  compiled.release();
  return Object.fromEntries(values);
}

// A reversal is lowered to a transpose, a gather of rows and another transpose.

Deno.test("a matrix product of a reversed operand is an output together with its own reversal", async () => {
  const values = await compute(({ x, y }) => {
    const product = tf.matMul(tf.reverse(x, 1), y);
    return { product, reversed: tf.reverse(product, 1) };
  });
  deepStrictEqual(values, {
    product: [[4, 5], [10, 15]], // 2 · 1 + 1 · 2, 1 · 5; 4 · 1 + 3 · 2, 3 · 5
    reversed: [[5, 4], [15, 10]],
  });
});

Deno.test("a reversed operand is an output together with its matrix product", async () => {
  const values = await compute(({ x, y }) => {
    const right = tf.reverse(y, 1);
    return { right, product: tf.matMul(tf.reverse(x, 1), right, false, true) };
  });
  deepStrictEqual(values, {
    right: [[0, 1], [5, 2]],
    product: [[1, 12], [3, 26]], // 1 · 1, 2 · 5 + 1 · 2; 3 · 1, 4 · 5 + 3 · 2
  });
});
