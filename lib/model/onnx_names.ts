/**
 * Names of what an exported graph takes and gives, for those who write it and those who run it.
 * @module
 */
import type { PoolingMode } from "@/config.ts";

/** Inputs, each [B, T]. */
export const GRAPH_INPUTS = ["input_ids", "attention_mask"] as const;

/** Output [B, T, D]: what the encoder makes of each token. */
export const HIDDEN_STATES = "last_hidden_state";

/** Output [B, E]: pooled, projected and normalized as trained. */
export const SENTENCE_EMBEDDING = "sentence_embedding";

/** The name of a task's output. */
export function logitsName(task: string): string {
  return `logits.${task}`;
}

/** The name of the output that holds embeddings by another pooling, before normalization. */
export function embeddingName(pooling: PoolingMode): string {
  return `embedding.${pooling}`;
}
