/**
 * Fallback of kernels that are not compiled: they run on TensorFlow.js's own JavaScript kernels.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { BACKEND } from "@/engine/backend.ts";
import { type HostCall, runOnHost } from "@/engine/kernels/host.ts";
import { COMPILED_KERNELS } from "@/engine/kernels/register.ts";

/** Registers every kernel of TensorFlow.js's `cpu` backend that is not compiled. */
export function registerFallbackKernels(): void {
  for (const { kernelName } of tf.getKernelsForBackend("cpu")) {
    if (COMPILED_KERNELS.has(kernelName)) continue;
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: (call) => runOnHost(kernelName, call as unknown as HostCall),
    });
  }
}
