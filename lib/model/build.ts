/**
 * Assembles a tree of parameters from a function that gives each tensor by name and shape, so that
 * fresh models and checkpoints are built by the same code. Shapes as in `parameters.ts`.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { BertConfig } from "@/model/bert_config.ts";
import type { Encoder, LayerNorm, Linear, TaskHead } from "@/model/parameters.ts";

/** What part of a layer a parameter is; fresh values depend on it. */
export type ParameterRole = "weight" | "bias" | "gain" | "words" | "positions" | "types";

/** A parameter to be made. */
export type ParameterSpec = {
  /** As in `namedParameters`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: ParameterRole;
};

/** Gives the values of a parameter, row-major. */
export type ParameterSource = (spec: ParameterSpec) => Float32Array;

/** A trainable variable that tfjs names itself, so that several models can live at once. */
function makeVariable<R extends tf.Rank>(source: ParameterSource, spec: ParameterSpec) {
  return tf.tidy(() =>
    tf.variable<R>(tf.tensor<R>(source(spec), [...spec.shape] as tf.ShapeMap[R], "float32"))
  );
}

/** A [output, input] linear layer called `name`. */
export function buildLinear(
  source: ParameterSource,
  name: string,
  { input, output }: { readonly input: number; readonly output: number },
): Linear {
  return {
    weight: makeVariable(source, {
      name: `${name}.weight`,
      shape: [output, input],
      role: "weight",
    }),
    bias: makeVariable(source, { name: `${name}.bias`, shape: [output], role: "bias" }),
  };
}

/** A layer norm over `size` columns called `name`. */
export function buildLayerNorm(source: ParameterSource, name: string, size: number): LayerNorm {
  return {
    weight: makeVariable(source, { name: `${name}.weight`, shape: [size], role: "gain" }),
    bias: makeVariable(source, { name: `${name}.bias`, shape: [size], role: "bias" }),
  };
}

/** An encoder of the given shape; without a pooler where `pooler` is false. */
export function buildEncoder(
  source: ParameterSource,
  config: BertConfig,
  { pooler }: { readonly pooler: boolean },
): Encoder {
  const { hiddenSize, intermediateSize } = config;
  const square = { input: hiddenSize, output: hiddenSize };
  const table = (name: string, rows: number, role: ParameterRole) =>
    makeVariable<tf.Rank.R2>(source, {
      name: `embeddings.${name}.weight`,
      shape: [rows, hiddenSize],
      role,
    });
  return {
    config,
    embeddings: {
      words: table("word_embeddings", config.vocabularySize, "words"),
      positions: table("position_embeddings", config.maxPositions, "positions"),
      types: table("token_type_embeddings", config.typeVocabularySize, "types"),
      norm: buildLayerNorm(source, "embeddings.LayerNorm", hiddenSize),
    },
    layers: Array.from({ length: config.layers }, (_, i) => {
      const at = `encoder.layer.${i}`;
      return {
        attention: {
          query: buildLinear(source, `${at}.attention.self.query`, square),
          key: buildLinear(source, `${at}.attention.self.key`, square),
          value: buildLinear(source, `${at}.attention.self.value`, square),
          output: buildLinear(source, `${at}.attention.output.dense`, square),
          norm: buildLayerNorm(source, `${at}.attention.output.LayerNorm`, hiddenSize),
        },
        feedForward: {
          intermediate: buildLinear(source, `${at}.intermediate.dense`, {
            input: hiddenSize,
            output: intermediateSize,
          }),
          output: buildLinear(source, `${at}.output.dense`, {
            input: intermediateSize,
            output: hiddenSize,
          }),
          norm: buildLayerNorm(source, `${at}.output.LayerNorm`, hiddenSize),
        },
      };
    }),
    pooler: pooler ? buildLinear(source, "pooler.dense", square) : null,
  };
}

/** The sizes of a head: vectors of `input` columns, `hidden` inside, one score for each label. */
export type HeadSizes = {
  readonly input: number;
  readonly hidden: number;
  readonly labels: number;
};

/** The head of `task`. */
export function buildHead(source: ParameterSource, task: string, sizes: HeadSizes): TaskHead {
  const { input, hidden, labels } = sizes;
  return {
    dense: buildLinear(source, `heads.${task}.dense`, { input, output: hidden }),
    norm: buildLayerNorm(source, `heads.${task}.norm`, hidden),
    out: buildLinear(source, `heads.${task}.out`, { input: hidden, output: labels }),
  };
}
