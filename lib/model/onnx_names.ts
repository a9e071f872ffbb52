/**
 * Names of what an exported graph gives, for those who write it and those who run it.
 * @module
 */
import type { PoolingMode } from "@/config.ts";

/** The name of a task's output. */
export function logitsName(task: string): string {
  return `logits.${task}`;
}

/** The name of the output that holds embeddings by another pooling, before normalization. */
export function embeddingName(pooling: PoolingMode): string {
  return `embedding.${pooling}`;
}
