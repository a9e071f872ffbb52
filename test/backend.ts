/**
 * The one place where tests of the model and its training choose the TensorFlow.js backends they run on.
 * @module
 */
import { strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";

/** TensorFlow.js's own JavaScript kernels, and the engine: both are held to the same numbers. */
export const BACKENDS = ["cpu", "recorded"] as const;

/** Runs `test` on each backend; fails also when it leaves a tensor behind. */
export function testOnBackends(name: string, test: () => void | Promise<void>): void {
  for (const backend of BACKENDS) {
    Deno.test(`${name} [${backend}]`, async () => {
      await openEngine();
      await tf.setBackend(backend);
      await tf.ready();
      const before = tf.memory().numTensors;
      await test();
      strictEqual(tf.memory().numTensors - before, 0, "tensors left behind");
    });
  }
}
