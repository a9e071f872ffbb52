/**
 * Names of the inputs and outputs of an exported graph.
 * @module
 */
import type { PoolingMode } from "@/config/config.ts";

/** Inputs, each [B, T]. */
export const GRAPH_INPUTS = ["input_ids", "attention_mask"] as const;

/** Output [B, T, D]: the encoder's hidden state of each token. */
export const HIDDEN_STATES = "last_hidden_state";

/** Output [B, E]: the sentence embedding, pooled, projected and normalized as in training. */
export const SENTENCE_EMBEDDING = "sentence_embedding";

/** The name of a task's output. */
export function logitsName(task: string): string {
  return `logits.${task}`;
}

/** The name of the output with another pooling's embeddings, before normalization. */
export function embeddingName(pooling: PoolingMode): string {
  return `embedding.${pooling}`;
}
