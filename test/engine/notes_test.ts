import { deepStrictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";

Deno.test("openEngine() reports each fallback once", async () => {
  const notes: string[] = [];
  await openEngine({ executor: "onnx", onNote: (note) => notes.push(note) });
  const x = tf.tensor1d([3, 1, 3]);
  for (let i = 0; i < 2; i++) tf.dispose(tf.unique(x));
  tf.dispose([tf.add(x, 1), x]);
  deepStrictEqual(notes, [
    "Unique is not compiled and falls back to TensorFlow.js's JavaScript kernel",
  ]);
});
