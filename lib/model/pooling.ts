/**
 * Pooling and normalization: one vector per sentence. Shapes: B rows, T tokens, N = B·T, D hidden, E embedding.
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { assertNever } from "@/assert_never.ts";
import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import { runLinear } from "@/model/layers.ts";
import type { Linear } from "@/model/parameters.ts";

/** Pooling mode, mask, and parameters. */
type PoolingOptions = {
  readonly mode: PoolingMode;
  /** [B, T] int32: 1 at real tokens. */
  readonly mask: tf.Tensor2D;
  /** The pooler for mode `cls`; other modes ignore it. */
  readonly pooler: Linear | null;
  /** Position of the first token that is pooled; 0 by default. */
  readonly start?: number;
  /** Upper bound of T if it is dynamic; by default T. */
  readonly maxLength?: number;
};

/** Lower than any activation; added to padding so that it never is the maximum. */
const MASKED = -1e9;

/**
 * Pools the hidden states of each row: [N, D] → [B, D]. A row without real tokens is zeros with mean and max.
 * sentence-transformers 6.2 also returns zeros with mean, but −∞ with max, which later layers could not process.
 */
export function poolSentences(
  hidden: tf.Tensor2D,
  { mode, mask, pooler, start = 0, maxLength = mask.shape[1] }: PoolingOptions,
): tf.Tensor2D {
  const [rows, length] = mask.shape;
  const [, size] = hidden.shape;
  const states = tf.reshape(hidden, [rows, length, size]) as tf.Tensor3D; // [B, T, D]
  /** [B, T] mask, set to 0 at positions for which `isKept` is false. */
  const keep = (isKept: (position: number) => boolean): tf.Tensor => {
    const kept = Float32Array.from(
      { length: maxLength },
      (_, position) => isKept(position) ? 1 : 0,
    );
    return tf.mul(tf.cast(mask, "float32"), tf.slice(tf.tensor1d(kept), [0], [length]));
  };
  const pooled = start === 0 ? tf.cast(mask, "float32") : keep((position) => position >= start); // [B, T]
  const takeFirst = (): tf.Tensor => {
    const first = tf.reshape(tf.slice(states, [0, 0, 0], [rows, 1, size]), [rows, size]);
    if (start === 0) return first;
    const chosen = tf.reshape(keep((position) => position === start), [rows, length, 1]);
    // a row that ends before `start` falls back to its first token
    return tf.add(
      tf.sum(tf.mul(states, chosen), 1),
      tf.mul(first, tf.sub(1, tf.sum(chosen, 1))),
    );
  };
  switch (mode) {
    case "mean": {
      const real = tf.reshape(pooled, [rows, length, 1]);
      return tf.div(tf.sum(tf.mul(states, real), 1), tf.maximum(tf.sum(real, 1), 1));
    }
    case "max": {
      const real = tf.reshape(pooled, [rows, length, 1]);
      const largest = tf.max(tf.add(states, tf.mul(tf.sub(1, real), MASKED)), 1);
      return tf.mul(largest, tf.max(real, 1));
    }
    case "cls":
      if (pooler === null) {
        throw new TypeError('Cannot pool: mode "cls" requires a pooler, but the encoder has none');
      }
      return tf.tanh(runLinear(pooler, takeFirst() as tf.Tensor2D));
    case "cls-token":
      return takeFirst() as tf.Tensor2D;
    default:
      return assertNever(mode, "pooling mode");
  }
}

/** Smallest divisor, for vectors that are shorter. */
const MIN_NORM = 1e-12;

/**
 * Divides each row by its norm, which is at least 1e-12, like `torch.nn.functional.normalize` of PyTorch 2.13:
 * [B, E] → [B, E].
 */
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
