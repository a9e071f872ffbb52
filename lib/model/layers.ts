/**
 * The layers of a transformer as functions of their parameters. Formulas as in `modeling_bert.py` of Hugging Face
 * transformers 4.57.1.
 *
 * Shapes: B rows, T tokens, N = B·T, D hidden, A attention heads, d = D / A. Activations stay [N, D].
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { dropout, gelu, layerNorm } from "@/engine/neural.ts";
import type { Attention, FeedForward, LayerNorm, Linear } from "@/model/parameters.ts";

/** Dropout of one training step: the rates by kind, and the seed. Absent in evaluation. */
export type DropoutRates = {
  /** int32 scalar, different for every step and task. Equal seeds produce equal masks. */
  readonly seed: tf.Scalar;
  readonly hidden: number;
  readonly attention: number;
  readonly head: number;
};

/** Applies dropout at `site` with the rate of its kind. Returns `x` unchanged without `rates` or if the rate is 0. */
export function dropAt<T extends tf.Tensor>(
  x: T,
  site: string,
  kind: "hidden" | "attention" | "head",
  rates: DropoutRates | undefined,
): T {
  if (rates === undefined || rates[kind] === 0) return x;
  return dropout(x, { site, rate: rates[kind], seed: rates.seed });
}

/** x · weightᵀ + bias: [N, in] → [N, out]. */
export function runLinear({ weight, bias }: Linear, x: tf.Tensor2D): tf.Tensor2D {
  return tf.add(tf.matMul(x, weight as tf.Tensor2D, false, true), bias);
}

/** Normalizes each row: [N, D] → [N, D]. */
export function runLayerNorm(
  { weight, bias }: LayerNorm,
  x: tf.Tensor2D,
  epsilon: number,
): tf.Tensor2D {
  return layerNorm(x, weight as tf.Tensor1D, bias as tf.Tensor1D, epsilon);
}

/** Arguments of a layer besides its parameters and input. */
type LayerOptions = {
  /** B */
  readonly rows: number;
  /** T */
  readonly length: number;
  /** A */
  readonly attentionHeads: number;
  readonly epsilon: number;
  /** [B, 1, 1, T] added to the attention scores: 0 at real tokens, −1e9 at padding. */
  readonly maskBias: tf.Tensor4D;
  /** The layer's prefix in dropout sites: `layer.0`. */
  readonly site: string;
  readonly dropout?: DropoutRates | undefined;
};

/** Multi-head self-attention, residual and norm: [N, D] → [N, D]. */
export function runAttention(
  { query, key, value, output, norm }: Attention,
  x: tf.Tensor2D,
  { rows, length, attentionHeads, epsilon, maskBias, site, dropout }: LayerOptions,
): tf.Tensor2D {
  const [count, hidden] = x.shape;
  const width = hidden / attentionHeads; // d
  const split = (t: tf.Tensor2D): tf.Tensor4D =>
    // [N, D] → [B, A, T, d]
    tf.transpose(tf.reshape(t, [rows, length, attentionHeads, width]), [0, 2, 1, 3]);
  const q = split(runLinear(query, x));
  const k = split(runLinear(key, x));
  const v = split(runLinear(value, x));
  const products = tf.matMul(q, k, false, true) as tf.Tensor4D; // [B, A, T, T]
  const scores = tf.add(tf.mul(products, 1 / Math.sqrt(width)), maskBias);
  const probabilities = dropAt(
    tf.softmax(scores),
    `${site}.attention.probabilities`,
    "attention",
    dropout,
  );
  const context = tf.reshape( // [B, A, T, d] → [N, D]
    tf.transpose(tf.matMul(probabilities, v) as tf.Tensor4D, [0, 2, 1, 3]),
    [count, hidden],
  ) as tf.Tensor2D;
  const attended = dropAt(
    runLinear(output, context),
    `${site}.attention.output`,
    "hidden",
    dropout,
  );
  return runLayerNorm(norm, tf.add(attended, x), epsilon);
}

/** D → I, GELU, I → D, residual and norm: [N, D] → [N, D]. */
export function runFeedForward(
  { intermediate, output, norm }: FeedForward,
  x: tf.Tensor2D,
  { epsilon, site, dropout }: Pick<LayerOptions, "epsilon" | "site" | "dropout">,
): tf.Tensor2D {
  const inner = gelu(runLinear(intermediate, x)); // [N, I]
  const outer = dropAt(runLinear(output, inner), `${site}.output`, "hidden", dropout);
  return runLayerNorm(norm, tf.add(outer, x), epsilon);
}
