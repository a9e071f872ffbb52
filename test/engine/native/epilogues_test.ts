/** Loop nests that may, and may not, be epilogues of matrix products. @module */
import { deepStrictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { makeGraph } from "@/engine/graph.ts";
import { compileGraph } from "@/engine/native/compile_graph.ts";
import { gelu, layerNorm } from "@/engine/neural.ts";
import { recordNodes } from "../record_nodes.ts";

await openEngine({ executor: "onnx" });

/**
 * The instructions of a function of float32 tensors, by kind; `+ kind` denotes an epilogue. `replaced` holds the indices
 * of the inputs that the results replace.
 */
function instructionsOf(
  shapes: readonly (readonly number[])[],
  run: (inputs: tf.Tensor[]) => tf.Tensor[],
  replaced: readonly number[] = [],
): string[] {
  const { leaves, results } = recordNodes(shapes, run);
  const outputs = results.map((node, i) => ({ node, target: replaced[i] ?? null }));
  return compileGraph(makeGraph("test", leaves, outputs), 2).draft.instructions.map(
    (instruction) => {
      const { opcode, kind, epilogue } = instruction;
      return epilogue === null ? `${opcode}, ${kind}` : `${opcode} + ${epilogue.kind}`;
    },
  );
}

const X = [64, 32], W = [32, 32], ROW = [32];

Deno.test("GELU and its gradient, with column sums, are epilogues of matrix products", () => {
  const forward = ([x, w, b]: tf.Tensor[]) => [gelu(tf.add(tf.matMul(x!, w!), b!))];
  deepStrictEqual(instructionsOf([X, W, ROW], forward), ["matmul + elements"]);

  // d = GELU'(h) · (g · wᵀ), and its column sums, of which two threads compute partial sums
  const backward = ([h, g, w]: tf.Tensor[]) => {
    const d = tf.grad((h) => tf.sum(tf.mul(gelu(h), tf.matMul(g!, w!, false, true))))(h!);
    return [d, tf.sum(d, 0)];
  };
  deepStrictEqual(instructionsOf([X, X, W], backward), ["matmul + columns", "combine, columns"]);
});

Deno.test("a residual sum with layer norm is an epilogue, and so is softmax of attention heads", () => {
  const normalize = ([x, w, r, g, b]: tf.Tensor[]) => [
    layerNorm(
      tf.add(tf.mul(tf.matMul(x!, w!), 2), r!) as tf.Tensor2D,
      g as tf.Tensor1D,
      b as tf.Tensor1D,
      1e-12,
    ),
  ];
  deepStrictEqual(instructionsOf([X, W, X, ROW, ROW], normalize), ["matmul + rows"]);

  const heads = [4, 3, 16, 8];
  const attend = ([q, k, v]: tf.Tensor[]) => [
    tf.matMul(tf.softmax(tf.matMul(q!, k!, false, true)), v!),
  ];
  deepStrictEqual(instructionsOf([heads, heads, heads], attend), [
    "matmul + rows",
    "matmul, attention",
  ]);
});

Deno.test("a nest that reads other rows of a matrix product is not its epilogue", () => {
  const transposed = ([x, w, r]: tf.Tensor[]) => [
    tf.add(tf.transpose(tf.matMul(x!, w!)), r!),
  ];
  deepStrictEqual(instructionsOf([X, W, [32, 64]], transposed), [
    "matmul, products",
    "copy, other",
    "kernel, elements",
  ]);
  const firstRow = ([x, w]: tf.Tensor[]) => {
    const y = tf.matMul(x!, w!);
    return [y, tf.sub(y, tf.slice(y, [0, 0], [1, 32]))];
  };
  deepStrictEqual(instructionsOf([X, W], firstRow), ["matmul, products", "kernel, elements"]);
  const otherRows = ([x, w]: tf.Tensor[]) => [
    tf.sum(tf.square(tf.reshape(tf.matMul(x!, w!), [32, 64])), 1),
  ];
  deepStrictEqual(instructionsOf([X, W], otherRows), ["matmul, products", "kernel, rows"]);
});

Deno.test("an epilogue does not overwrite operands of its matrix product", () => {
  // w := w − relu(w · w): other rows of w are operands of later rows
  const descend = ([w]: tf.Tensor[]) => [tf.sub(w!, tf.relu(tf.matMul(w!, w!)))];
  deepStrictEqual(instructionsOf([W], descend, [0]), ["matmul + elements", "copy, other"]);
  // x := x − relu(y · w) reads each element of x only to write it
  const elsewhere = ([x, y, w]: tf.Tensor[]) => [tf.sub(x!, tf.relu(tf.matMul(y!, w!)))];
  deepStrictEqual(instructionsOf([X, X, W], elsewhere, [0]), ["matmul + elements"]);
});
