/**
 * Scales each sentence embedding to length one, as PyTorch 2.13 `torch.nn.functional.normalize`.
 * Shapes: B rows, E embedding.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { assertNever } from "@/assert_never.ts";
import type { NormalizeMode } from "@/config.ts";

/** Shorter vectors are divided by this instead of their length. */
const SHORTEST = 1e-12;

/** Divides each row by its norm, which is at least 1e-12: [B, E] → [B, E]. */
export function normalizeRows(x: tf.Tensor2D, mode: NormalizeMode): tf.Tensor2D {
  switch (mode) {
    case "none":
      return x;
    case "l1":
      return tf.div(x, tf.maximum(tf.sum(tf.abs(x), -1, true), SHORTEST));
    case "l2":
      // the bound stands under the root, whose slope at 0 is infinite
      return tf.div(x, tf.sqrt(tf.maximum(tf.sum(tf.mul(x, x), -1, true), SHORTEST ** 2)));
    default:
      return assertNever(mode, "normalize mode");
  }
}
