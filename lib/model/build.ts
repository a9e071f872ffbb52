/**
 * Creates variables and assembles them into a tree of parameters by their names. Randomly initialized models and
 * checkpoints are built by the same code. Shapes as in `parameters.ts`.
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import type { BertConfig } from "@/model/bert_config.ts";
import type { ParameterSpec } from "@/model/parameter_specs.ts";
import type { Encoder, LayerNorm, Linear, TaskHead } from "@/model/parameters.ts";

/** Variables by parameter name. */
export type Variables = ReadonlyMap<string, tf.Variable>;

/** Returns the values of a parameter, row-major. */
type ParameterSource = (spec: ParameterSpec) => Float32Array | Promise<Float32Array>;

/** Creates a trainable variable. TensorFlow.js chooses its name, so several models can exist at once. */
export function makeVariable({ shape }: ParameterSpec, values: Float32Array): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor(values, [...shape], "float32")));
}

/** Creates the variables of all `specs` sequentially. If a source throws, disposes those created so far. */
export async function makeVariables(
  specs: readonly ParameterSpec[],
  source: ParameterSource,
): Promise<Variables> {
  const variables = new Map<string, tf.Variable>();
  try {
    for (const spec of specs) variables.set(spec.name, makeVariable(spec, await source(spec)));
  } catch (error) {
    for (const variable of variables.values()) variable.dispose();
    throw error;
  }
  return variables;
}

/** The matrix of this name. */
function takeMatrix(variables: Variables, name: string): tf.Variable<tf.Rank.R2> {
  const variable = variables.get(name);
  if (variable?.rank !== 2) throw new TypeError(`internal: there is no matrix ${name}`);
  return variable as tf.Variable<tf.Rank.R2>;
}

/** The vector of this name. */
function takeVector(variables: Variables, name: string): tf.Variable<tf.Rank.R1> {
  const variable = variables.get(name);
  if (variable?.rank !== 1) throw new TypeError(`internal: there is no vector ${name}`);
  return variable as tf.Variable<tf.Rank.R1>;
}

/** The linear layer of this name. */
export function buildLinear(variables: Variables, name: string): Linear {
  return {
    weight: takeMatrix(variables, `${name}.weight`),
    bias: takeVector(variables, `${name}.bias`),
  };
}

/** The layer norm of this name. */
function buildLayerNorm(variables: Variables, name: string): LayerNorm {
  return {
    weight: takeVector(variables, `${name}.weight`),
    bias: takeVector(variables, `${name}.bias`),
  };
}

/** Builds the encoder from `variables`, with a pooler if they contain one. */
export function buildEncoder(variables: Variables, config: BertConfig): Encoder {
  return {
    config,
    embeddings: {
      words: takeMatrix(variables, "embeddings.word_embeddings.weight"),
      positions: takeMatrix(variables, "embeddings.position_embeddings.weight"),
      types: takeMatrix(variables, "embeddings.token_type_embeddings.weight"),
      norm: buildLayerNorm(variables, "embeddings.LayerNorm"),
    },
    layers: Array.from({ length: config.layers }, (_, i) => {
      const at = `encoder.layer.${i}`;
      return {
        attention: {
          query: buildLinear(variables, `${at}.attention.self.query`),
          key: buildLinear(variables, `${at}.attention.self.key`),
          value: buildLinear(variables, `${at}.attention.self.value`),
          output: buildLinear(variables, `${at}.attention.output.dense`),
          norm: buildLayerNorm(variables, `${at}.attention.output.LayerNorm`),
        },
        feedForward: {
          intermediate: buildLinear(variables, `${at}.intermediate.dense`),
          output: buildLinear(variables, `${at}.output.dense`),
          norm: buildLayerNorm(variables, `${at}.output.LayerNorm`),
        },
      };
    }),
    pooler: variables.has("pooler.dense.weight") ? buildLinear(variables, "pooler.dense") : null,
  };
}

/** Builds the head of `task` from `variables`. */
export function buildHead(variables: Variables, task: string): TaskHead {
  return {
    dense: buildLinear(variables, `heads.${task}.dense`),
    norm: buildLayerNorm(variables, `heads.${task}.norm`),
    out: buildLinear(variables, `heads.${task}.out`),
  };
}
