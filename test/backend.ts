/**
 * The one place where tests of the model and its training choose the TensorFlow.js backends they run on.
 * @module
 */
import { strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import type { EngineOptions } from "@/engine/options.ts";
import { findCompiler } from "@/engine/native/toolchain/find_compiler.ts";
import { findLibrary } from "@/engine/tensorflow/find_library.ts";

/** TensorFlow.js's own JavaScript kernels, and the engine by each of its executors and devices. */
export const BACKENDS = ["cpu", "onnx", "native", "tensorflow"] as const;
export type TestBackend = typeof BACKENDS[number];

/** True if a backend is available here: `native` needs a C compiler, `tensorflow` its library and a C++ compiler. */
export function isAvailable(backend: TestBackend): boolean {
  switch (backend) {
    case "native":
      return findCompiler() !== null;
    case "tensorflow":
      return hasTensorflow ??= findCompiler("cxx") !== null && findLibrary().library !== null;
    default:
      return true;
  }
}

let hasTensorflow: boolean | undefined; // determined once, on first use

/** Threads of the executors: at least two, even if this part of the tests has one processor. */
const THREADS = Math.max(2, navigator.hardwareConcurrency);

/** The options that open a backend of the engine. */
export function backendOptions(backend: Exclude<TestBackend, "cpu">): EngineOptions {
  if (backend === "tensorflow") return { device: backend };
  return { executor: backend, threads: THREADS };
}

/** Sets the backend of TensorFlow.js. */
export async function openBackend(backend: TestBackend): Promise<void> {
  if (backend === "cpu") await tf.setBackend("cpu");
  else await openEngine(backendOptions(backend));
  await tf.ready();
}

/**
 * Runs `test` on each backend, or on those of `options`. Also fails if the test leaves a tensor behind. Long runs
 * leave out `cpu`, which takes ten times as long.
 */
export function testOnBackends(
  name: string,
  test: () => void | Promise<void>,
  options: { readonly backends?: readonly TestBackend[] } = {},
): void {
  for (const backend of options.backends ?? BACKENDS) {
    Deno.test({
      name: `${name} [${backend}]`,
      ignore: !isAvailable(backend),
      async fn() {
        await openBackend(backend);
        const before = tf.memory().numTensors;
        await test();
        strictEqual(tf.memory().numTensors - before, 0, "tensors left behind");
      },
    });
  }
}
