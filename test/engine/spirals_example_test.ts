/** The engine's example: a network trained by compiled programs and by TensorFlow.js's own `cpu` backend. */
import { ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { runExample } from "@/engine/spirals_example.ts";

Deno.test("the example's compiled programs compute the losses of TensorFlow.js's cpu backend", async () => {
  const before = tf.memory().numTensors;
  const { compiled, plain } = await runExample(8);
  strictEqual(compiled.losses.length, 8);
  const [first = NaN] = plain.losses, last = plain.losses.at(-1) ?? NaN;
  ok(first > 0.9 && last < 0.9 * first, `premise: it learns, ${plain.losses}`);
  plain.losses.forEach((loss, step) => {
    const difference = Math.abs(loss - (compiled.losses[step] ?? NaN));
    ok(difference < 1e-5, `step ${step}: ${difference}`);
  });
  strictEqual(compiled.accuracy, plain.accuracy);
  ok(plain.accuracy > 0.4, "better than one class of three");
  strictEqual(tf.memory().numTensors, before, "tensors left behind");
});
