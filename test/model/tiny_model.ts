/**
 * A randomly initialized model, small enough for property tests and round trips.
 * @module
 */
import { type BertConfig, parseBertConfig } from "@/model/bert_config.ts";
import { createEncoder, createModel, type ModelOptions } from "@/model/initialize.ts";
import type { MultiTask } from "@/model/parameters.ts";

/** The standard deviation of weights is large, so that attention and norms matter. */
export const TINY_CONFIG: BertConfig = parseBertConfig({
  model_type: "bert",
  vocab_size: 20,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 12,
  max_position_embeddings: 10,
  initializer_range: 0.4,
}, "tiny");

export const TINY_OPTIONS: ModelOptions = {
  tasks: [
    { name: "topic", kind: "classification", labels: ["sport", "news", "arts"] },
    { name: "entities", kind: "tagging", labels: ["O", "B-PER", "I-PER"] },
  ],
  pooling: "mean",
  embeddingSize: null,
  normalize: "none",
  seed: 7,
};

/** Creates a randomly initialized model; `options` override {@link TINY_OPTIONS}. */
export function createTinyModel(options: Partial<ModelOptions> = {}): MultiTask {
  return createModel(createEncoder(TINY_CONFIG, { seed: 7 }), { ...TINY_OPTIONS, ...options });
}
