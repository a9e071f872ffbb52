/**
 * Registers all kernels of the recording backend.
 * @module
 */
import { registerActivationKernels } from "@/engine/kernels/activations.ts";
import { registerArrangementKernels } from "@/engine/kernels/arrangement.ts";
import { registerElementwiseKernels } from "@/engine/kernels/elementwise.ts";
import { registerFallbackKernels } from "@/engine/kernels/fallback.ts";
import { registerLookupKernels } from "@/engine/kernels/lookups.ts";
import { registerPieceKernels } from "@/engine/kernels/pieces.ts";
import { registerProductKernels } from "@/engine/kernels/products.ts";
import { registerReductionKernels } from "@/engine/kernels/reductions.ts";
import { registerSequenceKernels } from "@/engine/kernels/sequences.ts";

/** Registers the compiled kernels, then TensorFlow.js's own for all that is left. */
export function registerKernels(): void {
  registerElementwiseKernels();
  registerActivationKernels();
  registerArrangementKernels();
  registerPieceKernels();
  registerLookupKernels();
  registerReductionKernels();
  registerProductKernels();
  registerSequenceKernels();
  registerFallbackKernels();
}
