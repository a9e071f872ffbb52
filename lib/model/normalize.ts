/**
 * Normalizes each sentence embedding to unit length, like `torch.nn.functional.normalize` of PyTorch 2.13.
 * Shapes: B rows, E embedding.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { assertNever } from "@/assert_never.ts";
import type { NormalizeMode } from "@/config/config.ts";

/** Smallest divisor, for vectors that are shorter. */
const MIN_NORM = 1e-12;

/** Divides each row by its norm, which is at least 1e-12: [B, E] → [B, E]. */
export function normalizeRows(x: tf.Tensor2D, mode: NormalizeMode): tf.Tensor2D {
  switch (mode) {
    case "none":
      return x;
    case "l1":
      return tf.div(x, tf.maximum(tf.sum(tf.abs(x), -1, true), MIN_NORM));
    case "l2":
      // the maximum is inside the root, whose gradient at 0 is infinite
      return tf.div(x, tf.sqrt(tf.maximum(tf.sum(tf.mul(x, x), -1, true), MIN_NORM ** 2)));
    default:
      return assertNever(mode, "normalize mode");
  }
}
