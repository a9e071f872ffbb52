/**
 * Task heads. Both task kinds use the same layers: dropout · dense · layer norm · GELU · dropout · out.
 * Shapes: N vectors, E their size, D hidden, C labels.
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import { gelu } from "@/engine/neural.ts";
import { dropAt, type DropoutRates, runLayerNorm, runLinear } from "@/model/layers.ts";
import type { TaskHead } from "@/model/parameters.ts";

/** Epsilon of the head's layer norm; PyTorch's default. */
const EPSILON = 1e-5;

/** Computes the scores of each vector: [N, E] → [N, C]. `site` is the head's prefix in dropout sites. */
export function runTaskHead(
  { dense, norm, out }: TaskHead,
  x: tf.Tensor2D,
  { site, dropout }: { readonly site: string; readonly dropout?: DropoutRates | undefined },
): tf.Tensor2D {
  const inner = runLinear(dense, dropAt(x, `${site}.input`, "head", dropout)); // [N, D]
  const active = gelu(runLayerNorm(norm, inner, EPSILON));
  return runLinear(out, dropAt(active, `${site}.output`, "head", dropout));
}
