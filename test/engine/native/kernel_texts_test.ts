/** The generated kernels of programs: names, comments and texts. @module */
import { deepStrictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { makeGraph } from "@/engine/graph.ts";
import { listKernels } from "@/engine/native/codegen/kernel_texts.ts";
import { compileGraph } from "@/engine/native/compile_graph.ts";
import { recordNodes } from "../record_nodes.ts";

await openEngine({ executor: "onnx" });

/** The kernels of a function of float32 tensors. */
function kernelsOf(
  shapes: readonly (readonly number[])[],
  run: (inputs: tf.Tensor[]) => tf.Tensor[],
) {
  const { leaves, results } = recordNodes(shapes, run);
  const outputs = results.map((node) => ({ node, target: null }));
  return listKernels(compileGraph(makeGraph("test", leaves, outputs), 2).code);
}

Deno.test("a kernel is listed with its operations, and with the instructions and nodes it serves", () => {
  const kernels = kernelsOf(
    [[64, 32], [32, 32]],
    ([x, w]) => [tf.softmax(tf.matMul(tf.softmax(x!), w!))],
  );
  const operations = ["row max", "sub", "exp", "row sum", "div"];
  const uses = kernels.map(({ uses }) =>
    uses.map(({ instruction, nodes }) => [instruction, nodes.length])
  );
  deepStrictEqual(kernels.map((kernel) => kernel.operations), [operations]);
  deepStrictEqual(uses, [[[0, 5], [1, 5]]]);
});
