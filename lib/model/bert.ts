/**
 * The BERT encoder (Devlin et al., arXiv 1810.04805), as implemented in Hugging Face transformers 4.57.1.
 *
 * Shapes: B rows, T tokens, N = B·T, D hidden. Activations stay [N, D] throughout.
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import {
  dropAt,
  type DropoutRates,
  runAttention,
  runFeedForward,
  runLayerNorm,
} from "@/model/layers.ts";
import type { Embeddings, Encoder, MultiTask } from "@/model/parameters.ts";
import type { DynamicAxes, DynamicDimensions } from "@/engine/dynamic_dimensions.ts";
import type { Batch } from "@/text/example.ts";

/** Inputs of a model: a padded batch. */
export type ModelInputs = {
  /** [B, T] int32 token ids, each below the vocabulary size (not checked here). */
  readonly ids: tf.Tensor2D;
  /** [B, T] int32: 1 at real tokens, 0 at padding. Every row must have a real token. */
  readonly mask: tf.Tensor2D;
  /** Only in training. */
  readonly dropout?: DropoutRates | undefined;
};

/** Added to the attention score of a padded position, whose probability is then exactly 0 in float32. */
const MASKED = -1e9;

/** Sums word, position and type embeddings and applies the layer norm: [B, T] ids → [N, D]. */
function runEmbeddings(
  { words, positions, types, norm }: Embeddings,
  { ids, dropout }: ModelInputs,
  epsilon: number,
): tf.Tensor2D {
  const [rows, length] = ids.shape;
  const [, hidden] = words.shape;
  const word = tf.gather(words as tf.Tensor2D, tf.reshape(ids, [rows * length])); // [N, D]
  const place = tf.add( // [T, D]; every token has type 0
    tf.slice(positions as tf.Tensor2D, [0, 0], [length, hidden]),
    tf.slice(types as tf.Tensor2D, [0, 0], [1, hidden]),
  );
  const sum = tf.add(tf.reshape(word, [rows, length, hidden]), place); // [B, T, D]
  const normalized = runLayerNorm(
    norm,
    tf.reshape(sum, [rows * length, hidden]) as tf.Tensor2D,
    epsilon,
  );
  return dropAt(normalized, "embeddings", "hidden", dropout);
}

/**
 * The last hidden states: [B, T] ids and mask → [N, D].
 *
 * @throws {RangeError} if the input is longer than the position table
 */
export function runEncoder(
  { config, embeddings, layers }: Encoder,
  inputs: ModelInputs,
): tf.Tensor2D {
  const { ids, mask, dropout } = inputs;
  const [rows, length] = ids.shape;
  if (length > config.maxPositions) {
    throw new RangeError(
      `Cannot encode: the input has ${length} tokens, but the encoder has only ${config.maxPositions} positions`,
    );
  }
  const epsilon = config.layerNormEpsilon;
  const padded = tf.sub(1, tf.cast(mask, "float32")); // [B, T]
  const maskBias = tf.reshape(tf.mul(padded, MASKED), [rows, 1, 1, length]) as tf.Tensor4D;
  let hidden = runEmbeddings(embeddings, inputs, epsilon);
  for (const [i, { attention, feedForward }] of layers.entries()) {
    const site = `layer.${i}`;
    hidden = runAttention(attention, hidden, {
      rows,
      length,
      attentionHeads: config.attentionHeads,
      epsilon,
      maskBias,
      site,
      dropout,
    });
    hidden = runFeedForward(feedForward, hidden, { epsilon, site, dropout });
  }
  return hidden;
}

/** Token ids and mask of a batch. */
export type InputTensors = Pick<ModelInputs, "ids" | "mask">;

/** Converts a batch to tensors, which the caller must dispose. */
export function inputTensors(
  { rows, length, ids, mask }: Pick<Batch, "rows" | "length" | "ids" | "mask">,
): InputTensors {
  return {
    ids: tf.tensor2d(ids, [rows, length], "int32"),
    mask: tf.tensor2d(mask, [rows, length], "int32"),
  };
}

/** The dynamic dimensions of a batch: B and T of {@link InputTensors}, and those of `further` inputs. */
export function dynamicBatchDimensions(
  { encoder }: Pick<MultiTask, "encoder">,
  further: DynamicAxes = {},
): DynamicDimensions {
  return {
    axes: { ids: ["B", "T"], mask: ["B", "T"], ...further },
    limits: { T: encoder.config.maxPositions },
  };
}
