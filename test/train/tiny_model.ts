/** The tiny two-task model that tests in this folder train, the same as in `test/parity/train_parity.py`. */
import type { ModelConfig } from "@/config/config.ts";
import { parseBertConfig } from "@/model/bert_config.ts";
import { createEncoder, createModel } from "@/model/initialize.ts";
import type { MultiTask } from "@/model/parameters.ts";
import { hashName, mix32 } from "@/engine/hash.ts";

export const TINY_BERT = {
  model_type: "bert",
  vocab_size: 40,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 12,
};

/** Options of the tiny model. */
export type TinyVariant = Partial<Pick<ModelConfig, "pooling" | "normalize" | "embeddingSize">> & {
  /** Default: 12, which is too few to trace a program with dynamic length. */
  readonly maxPositions?: number;
};

/** Two layers of 16, heads `topic` (4 classes) and `tags` (5 tags), mean pooling by default. */
export function createTinyModel(seed = 1, variant: TinyVariant = {}): MultiTask {
  const { maxPositions = TINY_BERT.max_position_embeddings, ...options } = variant;
  const config = { ...TINY_BERT, max_position_embeddings: maxPositions };
  const encoder = createEncoder(parseBertConfig(config, "tiny"), { seed });
  return createModel(encoder, {
    tasks: [
      { name: "topic", kind: "classification", labels: ["a", "b", "c", "d"] },
      { name: "tags", kind: "tagging", labels: ["O", "B-X", "I-X", "B-Y", "I-Y"] },
    ],
    pooling: "mean",
    embeddingSize: null,
    normalize: "none",
    ...options,
    seed,
  });
}

/** Initial values computed from a parameter's name, like `values` in `train_parity.py`. */
export function formulaValues(name: string, shape: readonly number[]): Float32Array {
  const start = hashName(name);
  const size = shape.reduce((product, length) => product * length, 1);
  const gain = shape.length === 1 && /norm/i.test(name) && name.endsWith("weight") ? 1 : 0;
  const spread = shape.length > 1 ? 0.3 : 0.1;
  return Float32Array.from(
    { length: size },
    (_, i) => (mix32(start + i) / 2 ** 32 * 2 - 1) * spread + gain,
  );
}
