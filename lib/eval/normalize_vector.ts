/**
 * Normalization of an embedding outside the engine, by the same formula as `model/normalize.ts`.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import type { NormalizeMode } from "@/config/config.ts";

const SHORTEST = 1e-12; // lower bound of the norm that a vector is divided by

/** Norm of `vector` that a mode divides by; 1 for `none`. */
export function vectorLength(vector: ArrayLike<number>, mode: NormalizeMode): number {
  const values = Array.from(vector);
  switch (mode) {
    case "none":
      return 1;
    case "l1":
      return values.reduce((sum, x) => sum + Math.abs(x), 0);
    case "l2":
      return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
    default:
      return assertNever(mode, "normalization");
  }
}

/** `vector` divided by its norm under `mode`. */
export function normalizeVector(vector: Float32Array, mode: NormalizeMode): Float32Array {
  const length = Math.max(vectorLength(vector, mode), SHORTEST);
  return vector.map((x) => x / length);
}
