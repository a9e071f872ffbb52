/**
 * Fresh parameters: normal weights, zero biases, unit gains, as Hugging Face transformers 4.57.1
 * `BertPreTrainedModel._init_weights`. Each parameter draws from a stream of its own name, so that
 * adding one never changes another.
 * @module
 */
import { stream } from "@/random.ts";
import { assertNever } from "@/assert_never.ts";
import type { NormalizeMode, PoolingMode } from "@/config.ts";
import type { BertConfig } from "@/model/bert_config.ts";
import { buildEncoder, buildHead, buildLinear, type ParameterSource } from "@/model/build.ts";
import type { Encoder, ModelTask, MultiTask, TaskHead } from "@/model/parameters.ts";

/** Fresh values under `seed`, with weights of standard deviation `initializerRange`. */
export function drawParameters(
  seed: number,
  { initializerRange, padId }: Pick<BertConfig, "initializerRange" | "padId">,
): ParameterSource {
  return ({ name, shape, role }) => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    switch (role) {
      case "bias":
        return values;
      case "gain":
        return values.fill(1);
      case "weight":
      case "positions":
      case "types":
      case "words": {
        const { normal } = stream(seed, "init", name);
        for (let i = 0; i < values.length; i++) values[i] = initializerRange * normal();
        const width = shape[1] ?? 0;
        if (role === "words") values.fill(0, padId * width, (padId + 1) * width);
        return values;
      }
      default:
        return assertNever(role, "parameter role");
    }
  };
}

/** A fresh encoder. */
export function createEncoder(config: BertConfig, { seed }: { readonly seed: number }): Encoder {
  return buildEncoder(drawParameters(seed, config), config, { pooler: true });
}

/** How sentence embeddings are made and which heads there are. */
export type ModelOptions = {
  readonly tasks: readonly ModelTask[];
  readonly pooling: PoolingMode;
  /** E; null: the hidden size, without a projection. */
  readonly embeddingSize: number | null;
  readonly normalize: NormalizeMode;
  readonly seed: number;
};

/**
 * Puts a fresh projection and fresh heads on an encoder, which the model then owns.
 *
 * @example
 * ```ts
 * import { createEncoder, createModel } from "@/model/init.ts";
 * import { parseBertConfig } from "@/model/bert_config.ts";
 * const config = parseBertConfig({
 *   model_type: "bert", vocab_size: 100, hidden_size: 8, num_hidden_layers: 1,
 *   num_attention_heads: 2, intermediate_size: 16, max_position_embeddings: 32,
 * }, "here");
 * const model = createModel(createEncoder(config, { seed: 13 }), {
 *   tasks: [{ name: "topic", kind: "classification", labels: ["a", "b"] }],
 *   pooling: "mean", embeddingSize: null, normalize: "none", seed: 13,
 * });
 * ```
 */
export function createModel(
  encoder: Encoder,
  { tasks, pooling, embeddingSize, normalize, seed }: ModelOptions,
): MultiTask {
  const { config } = encoder;
  const { hiddenSize } = config;
  if (pooling === "cls" && encoder.pooler === null) {
    throw new RangeError(
      'Cannot create model with pooling "cls" as the encoder must have a pooler',
    );
  }
  const source = drawParameters(seed, config);
  const projection = embeddingSize === null
    ? null
    : buildLinear(source, "projection.dense", { input: hiddenSize, output: embeddingSize });
  const heads = new Map<string, TaskHead>();
  for (const { name, kind, labels } of tasks) {
    if (heads.has(name)) {
      throw new RangeError(`Cannot create model as task names must differ: ${name} occurs twice`);
    }
    const input = kind === "classification" ? embeddingSize ?? hiddenSize : hiddenSize;
    heads.set(name, buildHead(source, name, { input, hidden: hiddenSize, labels: labels.length }));
  }
  return {
    encoder,
    pooling,
    projection,
    normalize,
    tasks: tasks.map(({ name, kind, labels }) => ({ name, kind, labels })),
    heads,
  };
}
