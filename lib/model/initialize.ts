/**
 * Random initialization: normal weights, zero biases, unit gains, like `BertPreTrainedModel._init_weights` of
 * Hugging Face transformers 4.57.1. Each parameter has its own random stream, selected by its name, so adding a
 * parameter does not change the others.
 * @module
 */
import { assertNever } from "@/assert_never.ts";
import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import type { BertConfig } from "./bert_config.ts";
import { buildEncoder, buildHead, buildLinear, makeVariable, type Variables } from "./build.ts";
import { encoderSpecs, headSpecs, linearSpecs, type ParameterSpec } from "./parameter_specs.ts";
import type { ModelTask } from "./multi_task.ts";
import type { Encoder, MultiTask } from "./parameters.ts";
import { stream } from "@/random.ts";

/** Parameters of the random initialization. */
type InitOptions = Pick<BertConfig, "initializerRange" | "padId"> & { readonly seed: number };

/** Initial values of a parameter. The standard deviation of weights is `initializerRange`. */
function initializeParameter(
  { name, shape, role }: ParameterSpec,
  { initializerRange, padId, seed }: InitOptions,
): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  switch (role) {
    case "bias":
      return values;
    case "gain":
      return values.fill(1);
    case "weight":
    case "table":
    case "words": {
      const { normal } = stream(seed, "init", name);
      for (let i = 0; i < values.length; i++) values[i] = initializerRange * normal();
      const width = shape[1] ?? 0;
      return role === "words" ? values.fill(0, padId * width, (padId + 1) * width) : values;
    }
    default:
      return assertNever(role, "parameter role");
  }
}

/** Randomly initialized variables for all `specs`. */
function initializeVariables(specs: readonly ParameterSpec[], options: InitOptions): Variables {
  return new Map(
    specs.map((spec) => [spec.name, makeVariable(spec, initializeParameter(spec, options))]),
  );
}

/** Creates a randomly initialized encoder. */
export function createEncoder(config: BertConfig, { seed }: { readonly seed: number }): Encoder {
  const variables = initializeVariables(encoderSpecs(config, { pooler: true }), {
    ...config,
    seed,
  });
  return buildEncoder(variables, config);
}

/** Tasks, and how sentence embeddings are computed. */
export type ModelOptions = {
  readonly tasks: readonly ModelTask[];
  readonly pooling: PoolingMode;
  /** E; null for the hidden size without a projection. */
  readonly embeddingSize: number | null;
  readonly normalize: NormalizeMode;
  readonly seed: number;
};

/** The parameters of a model's projection and heads, without its encoder. */
export function modelSpecs(
  { hiddenSize }: BertConfig,
  { tasks, embeddingSize }: Pick<ModelOptions, "tasks" | "embeddingSize">,
): readonly ParameterSpec[] {
  const heads = tasks.map(({ name, kind, labels }) =>
    headSpecs(name, {
      input: kind === "classification" ? embeddingSize ?? hiddenSize : hiddenSize,
      hidden: hiddenSize,
      labels: labels.length,
    })
  );
  return [
    ...(embeddingSize === null ? [] : linearSpecs("projection.dense", embeddingSize, hiddenSize)),
    ...heads.flat(),
  ];
}

/** Combines an encoder with the variables of {@link modelSpecs} into a model, which then owns both. */
export function buildModel(
  encoder: Encoder,
  variables: Variables,
  { tasks, pooling, embeddingSize, normalize }: Omit<ModelOptions, "seed">,
): MultiTask {
  return {
    encoder,
    pooling,
    poolingStart: 0,
    projection: embeddingSize === null ? null : buildLinear(variables, "projection.dense"),
    normalize,
    tasks: tasks.map(({ name, kind, labels }) => ({ name, kind, labels })),
    heads: new Map(tasks.map(({ name }) => [name, buildHead(variables, name)])),
  };
}

/**
 * Adds a randomly initialized projection and heads to an encoder. The model then owns the encoder.
 *
 * @example
 * ```ts
 * import { parseBertConfig } from "./bert_config.ts";
 * import { createEncoder, createModel } from "./initialize.ts";
 * import { countParameters } from "./parameters.ts";
 * const config = parseBertConfig({
 *   model_type: "bert", vocab_size: 100, hidden_size: 8, num_hidden_layers: 1,
 *   num_attention_heads: 2, intermediate_size: 16, max_position_embeddings: 32,
 * }, "here");
 * const model = createModel(createEncoder(config, { seed: 13 }), {
 *   tasks: [{ name: "topic", kind: "classification", labels: ["a", "b"] }],
 *   pooling: "mean", embeddingSize: null, normalize: "none", seed: 13,
 * });
 * countParameters(model); // 1866
 * ```
 */
export function createModel(encoder: Encoder, options: ModelOptions): MultiTask {
  const { tasks, pooling, seed } = options;
  if (pooling === "cls" && encoder.pooler === null) {
    throw new RangeError(
      'Cannot create model: pooling "cls" requires a pooler, but the encoder has none',
    );
  }
  const names = tasks.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    throw new RangeError(
      `Cannot create model: task names must differ, but are ${names.join(", ")}`,
    );
  }
  const { config } = encoder;
  const variables = initializeVariables(modelSpecs(config, options), { ...config, seed });
  return buildModel(encoder, variables, options);
}
