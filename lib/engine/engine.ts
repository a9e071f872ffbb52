/**
 * Opens the engine: registers the recording backend and its kernels and makes it TensorFlow.js's backend.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { BACKEND, RecordingBackend } from "@/engine/backend.ts";
import type { Executor } from "@/engine/executor.ts";
import { registerArrangementKernels } from "@/engine/kernels/arrangement.ts";
import { registerElementwiseKernels } from "@/engine/kernels/elementwise.ts";
import { registerFallbackKernels } from "@/engine/kernels/fallback.ts";
import { registerProductKernels } from "@/engine/kernels/products.ts";
import { registerReductionKernels } from "@/engine/kernels/reductions.ts";
import { createOnnxExecutor } from "@/engine/onnx/executor.ts";

export type EngineOptions = {
  /** Threads that one operation may use; null: as many as the machine has. */
  readonly threads?: number | null;
};

let opened: Executor | undefined;

/** Makes the engine the backend of TensorFlow.js; a second call gives back the first one's executor. */
export async function openEngine({ threads = null }: EngineOptions = {}): Promise<Executor> {
  if (opened === undefined) {
    const executor = createOnnxExecutor(threads ?? navigator.hardwareConcurrency);
    registerElementwiseKernels();
    registerArrangementKernels();
    registerReductionKernels();
    registerProductKernels();
    registerFallbackKernels();
    tf.registerBackend(BACKEND, () => new RecordingBackend(executor), 10);
    opened = executor;
  }
  await tf.setBackend(BACKEND);
  return opened;
}
