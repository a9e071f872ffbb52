/**
 * The dropout mask as a counter-based hash: no mask is stored, and every executor draws the same one.
 *
 * The element at row r, column c (last axis; all axes before it are rows) is kept if
 *
 *     z = ρ(r) + γ(c),  z · (2z + 1)  <  threshold      (32-bit wrapping, compared signed)
 *
 * with ρ(r) = mix32(k₀ + r), γ(c) = mix32(k₁ + c), k₀ and k₁ hashed from seed and site. mix32 is MurmurHash3's
 * finalizer. z · (2z + 1) is RC6's quadratic permutation (Rivest et al., 1998), whose high bits depend on all
 * bits of z. Rows and columns are hashed in O(R + C); an element costs one addition, one multiplication and
 * one comparison on any processor.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { hashName, mix32 } from "@/engine/hash.ts";

/** Attributes of the kernel `DropoutMask`; its one input is `seed`, an int32 scalar. */
export type DropoutMaskAttributes = {
  readonly shape: readonly number[];
  readonly rate: number;
  readonly site: string;
};

/** Signed threshold below which an element is kept. */
export function keepThreshold(rate: number): number {
  return Math.round((1 - rate) * 2 ** 32 - 2 ** 31);
}

/** Keys that separate the rows and the columns of one site from those of every other. */
export function siteKeys(site: string): { readonly row: number; readonly column: number } {
  return { row: hashName(`${site}/row`) | 0, column: hashName(`${site}/column`) | 0 };
}

/** ρ(r) or γ(c) for all indices below `count`. */
function hashIndices(seed: number, key: number, count: number): Int32Array {
  const start = mix32(seed ^ key);
  const hashes = new Int32Array(count);
  for (let i = 0; i < count; i++) hashes[i] = mix32(start + i);
  return hashes;
}

/** ρ of all rows and γ of all columns of `shape` [R, C]. */
export function hashShape(
  seed: number,
  { shape, site }: DropoutMaskAttributes,
): { readonly rho: Int32Array; readonly gamma: Int32Array } {
  const columns = shape.at(-1) ?? 1;
  const size = shape.reduce((a, b) => a * b, 1);
  const rows = columns === 0 ? 0 : size / columns;
  const keys = siteKeys(site);
  return {
    rho: hashIndices(seed, keys.row, rows),
    gamma: hashIndices(seed, keys.column, columns),
  };
}

/** The mask of `shape` [R, C], computed in JavaScript: 0, or 1 / (1 − rate). */
export function computeDropoutMask(seed: number, attributes: DropoutMaskAttributes): Float32Array {
  const { rho, gamma } = hashShape(seed, attributes);
  const threshold = keepThreshold(attributes.rate);
  const scale = Math.fround(1 / (1 - attributes.rate));
  const mask = new Float32Array(rho.length * gamma.length);
  for (let r = 0, at = 0; r < rho.length; r++) {
    for (let c = 0; c < gamma.length; c++, at++) {
      const z = ((rho[r] as number) + (gamma[c] as number)) | 0;
      mask[at] = Math.imul(z, 2 * z + 1) < threshold ? scale : 0;
    }
  }
  return mask;
}

// TensorFlow.js's own `cpu` backend computes the mask here; the recording backend compiles it.
tf.registerKernel({
  kernelName: "DropoutMask",
  backendName: "cpu",
  kernelFunc: ({ inputs, attrs, backend }) => {
    const attributes = attrs as unknown as DropoutMaskAttributes;
    const seed = (backend as tf.KernelBackend).readSync((inputs.seed as tf.TensorInfo).dataId);
    const mask = computeDropoutMask(Number(seed[0]), attributes);
    const shape = [...attributes.shape];
    const dataId = (backend as tf.KernelBackend).write(mask, shape, "float32");
    return { dataId, shape, dtype: "float32" };
  },
});
