/**
 * Registers all kernels of the recording backend.
 * @module
 */
import { registerActivationKernels } from "@/engine/kernels/activations.ts";
import { registerArrangementKernels } from "@/engine/kernels/arrangement.ts";
import { registerElementwiseKernels } from "@/engine/kernels/elementwise.ts";
import { registerFallbackKernels } from "@/engine/kernels/fallback.ts";
import { registerLookupKernels } from "@/engine/kernels/lookups.ts";
import { registerSliceKernels } from "@/engine/kernels/slices.ts";
import { registerMatmulKernels } from "@/engine/kernels/matmul.ts";
import { registerReductionKernels } from "@/engine/kernels/reductions.ts";
import { registerSequenceKernels } from "@/engine/kernels/sequences.ts";

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
}
