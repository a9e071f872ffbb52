/**
 * The parameter tree of a model. The other files of this folder are functions of these types.
 *
 * Names and layouts are those of Hugging Face's `BertModel.state_dict()`; a linear layer's weight is
 * [out, in]. Shapes: V vocabulary, P positions, D hidden, I intermediate, E embedding, C labels.
 * @module
 */
import type * as tf from "@tensorflow/tfjs";
import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import type { BertConfig } from "@/model/bert_config.ts";
import type { ModelTask } from "@/model/multi_task.ts";

/**
 * x · weightᵀ + bias.
 *
 * @internal
 */
export type Linear = {
  /** [out, in] */
  readonly weight: tf.Variable<tf.Rank.R2>;
  /** [out] */
  readonly bias: tf.Variable<tf.Rank.R1>;
};

/** Gain and shift after normalizing the last axis. */
export type LayerNorm = {
  /** [D] */
  readonly weight: tf.Variable<tf.Rank.R1>;
  /** [D] */
  readonly bias: tf.Variable<tf.Rank.R1>;
};

/** Embedding tables. The sum of their rows for each token is normalized. */
export type Embeddings = {
  /** [V, D] */
  readonly words: tf.Variable<tf.Rank.R2>;
  /** [P, D] */
  readonly positions: tf.Variable<tf.Rank.R2>;
  /** [types, D] */
  readonly types: tf.Variable<tf.Rank.R2>;
  readonly norm: LayerNorm;
};

/** Self-attention with the norm after its residual connection. */
export type Attention = {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;
  readonly norm: LayerNorm;
};

/** D → I → D with the norm after its residual connection. */
export type FeedForward = {
  /** [I, D] */
  readonly intermediate: Linear;
  /** [D, I] */
  readonly output: Linear;
  readonly norm: LayerNorm;
};

/** One transformer layer, post-norm. */
type Layer = { readonly attention: Attention; readonly feedForward: FeedForward };

/**
 * A BERT encoder.
 *
 * @internal
 */
export type Encoder = {
  readonly config: BertConfig;
  readonly embeddings: Embeddings;
  readonly layers: readonly Layer[];
  /** Dense layer with tanh over [CLS]; null if the checkpoint has none. Only pooling `cls` needs it. */
  readonly pooler: Linear | null;
};

/**
 * Computes label scores from a vector: dropout · dense · layer norm · GELU · dropout · out.
 *
 * @internal
 */
export type TaskHead = {
  /** [D, E] for classification, [D, D] for tagging */
  readonly dense: Linear;
  readonly norm: LayerNorm;
  /** [C, D] */
  readonly out: Linear;
};

/** An encoder, the settings of its sentence embedding, and one head per task. */
export type MultiTask = {
  readonly encoder: Encoder;
  readonly pooling: PoolingMode;
  /** Position of the first token that is pooled; above 0 if the prompt is excluded from pooling. */
  readonly poolingStart: number;
  /** [E, D]; null if the embedding is the pooled vector itself. */
  readonly projection: Linear | null;
  readonly normalize: NormalizeMode;
  readonly tasks: readonly ModelTask[];
  /** By task name. */
  readonly heads: ReadonlyMap<string, TaskHead>;
};

/** A parameter and its name in a checkpoint. */
export type NamedParameter = { readonly name: string; readonly variable: tf.Variable };

/** E: the size of a sentence embedding. */
export function embeddingSize({ encoder, projection }: MultiTask): number {
  return projection?.weight.shape[0] ?? encoder.config.hiddenSize;
}

/** Weight and bias of a linear layer or a layer norm under `prefix`. */
function nameWeights(prefix: string, { weight, bias }: Linear | LayerNorm): NamedParameter[] {
  return [
    { name: `${prefix}.weight`, variable: weight },
    { name: `${prefix}.bias`, variable: bias },
  ];
}

/** The encoder's parameters, named and ordered as in `BertModel.state_dict()`. */
export function namedEncoderParameters(encoder: Encoder): readonly NamedParameter[] {
  const { embeddings, layers, pooler } = encoder;
  return [
    { name: "embeddings.word_embeddings.weight", variable: embeddings.words },
    { name: "embeddings.position_embeddings.weight", variable: embeddings.positions },
    { name: "embeddings.token_type_embeddings.weight", variable: embeddings.types },
    ...nameWeights("embeddings.LayerNorm", embeddings.norm),
    ...layers.flatMap(({ attention, feedForward }, i) => [
      ...nameWeights(`encoder.layer.${i}.attention.self.query`, attention.query),
      ...nameWeights(`encoder.layer.${i}.attention.self.key`, attention.key),
      ...nameWeights(`encoder.layer.${i}.attention.self.value`, attention.value),
      ...nameWeights(`encoder.layer.${i}.attention.output.dense`, attention.output),
      ...nameWeights(`encoder.layer.${i}.attention.output.LayerNorm`, attention.norm),
      ...nameWeights(`encoder.layer.${i}.intermediate.dense`, feedForward.intermediate),
      ...nameWeights(`encoder.layer.${i}.output.dense`, feedForward.output),
      ...nameWeights(`encoder.layer.${i}.output.LayerNorm`, feedForward.norm),
    ]),
    ...(pooler === null ? [] : nameWeights("pooler.dense", pooler)),
  ];
}

/** The parameters of one head under `heads.<task>`. */
export function namedHeadParameters(task: string, head: TaskHead): readonly NamedParameter[] {
  return [
    ...nameWeights(`heads.${task}.dense`, head.dense),
    ...nameWeights(`heads.${task}.norm`, head.norm),
    ...nameWeights(`heads.${task}.out`, head.out),
  ];
}

/** All parameters of a model, encoder first, heads last. Includes the pooler even if it is not used. */
export function namedParameters(model: MultiTask): readonly NamedParameter[] {
  return [
    ...namedEncoderParameters(model.encoder),
    ...(model.projection === null ? [] : nameWeights("projection.dense", model.projection)),
    ...[...model.heads].flatMap(([task, head]) => namedHeadParameters(task, head)),
  ];
}

/** The number of trainable values of a model. */
export function countParameters(model: MultiTask): number {
  return namedParameters(model).reduce((sum, { variable }) => sum + variable.size, 0);
}

/** Disposes all parameters. The model must not be used afterwards. */
export function disposeModel(model: MultiTask): void {
  for (const { variable } of namedParameters(model)) variable.dispose();
}

/** Disposes an encoder that does not belong to a model. */
export function disposeEncoder(encoder: Encoder): void {
  for (const { variable } of namedEncoderParameters(encoder)) variable.dispose();
}
