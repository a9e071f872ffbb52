/**
 * Registers all kernels of the recording backend. Kernels that are not compiled run on TensorFlow.js's own JavaScript
 * kernels.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { registerActivationKernels } from "./activations.ts";
import { registerArrangementKernels } from "./arrangement.ts";
import { registerElementwiseKernels } from "./elementwise.ts";
import { registerLookupKernels } from "./lookups.ts";
import { registerSliceKernels } from "./slices.ts";
import { registerMatmulKernels } from "./matmul.ts";
import { registerReductionKernels } from "./reductions.ts";
import { registerSequenceKernels } from "./sequences.ts";
import { BACKEND } from "../backend.ts";
import { type HostCall, runOnHost } from "./host.ts";
import { COMPILED_KERNELS, nameGradients } from "./register.ts";

/** Registers the compiled kernels, then TensorFlow.js's own kernels for everything else. */
export function registerKernels(): void {
  registerElementwiseKernels();
  registerActivationKernels();
  registerArrangementKernels();
  registerSliceKernels();
  registerLookupKernels();
  registerReductionKernels();
  registerMatmulKernels();
  registerSequenceKernels();
  registerFallbackKernels();
  nameGradients();
}

/** Registers every kernel of TensorFlow.js's `cpu` backend that is not compiled. */
function registerFallbackKernels(): void {
  for (const { kernelName } of tf.getKernelsForBackend("cpu")) {
    if (COMPILED_KERNELS.has(kernelName)) continue;
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: (call) => runOnHost(kernelName, call as unknown as HostCall),
    });
  }
}
