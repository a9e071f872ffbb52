/**
 * Reads the output of `deno task similarity --out`.
 * @module
 */

import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import * as z from "zod";
import { integer, text } from "@/schema.ts";
import { readJsonBy } from "@/system/json_files.ts";
import type { EmbeddingScores } from "@/eval/compare_embeddings.ts";
import { SIMILARITIES } from "@/eval/embedding_similarity.ts";

/** Scores of one model's embeddings. */
type SimilarityRecord = {
  readonly model: string;
  readonly dataset: string;
  readonly precision: string;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly scores: readonly EmbeddingScores[];
};

const CORRELATION = z.number().min(-1).max(1);
const CHANGE = z.number().min(-2).max(2);

const SCHEMA: z.ZodType<SimilarityRecord> = z.strictObject({
  model: text,
  dataset: text,
  precision: text,
  environment: z.looseObject({}),
  scores: z.array(z.strictObject({
    pooling: z.enum(POOLING_MODES),
    normalize: z.enum(NORMALIZE_MODES),
    similarity: z.enum(SIMILARITIES),
    pairs: integer(1),
    spearman: CORRELATION,
    interval: z.tuple([CORRELATION, CORRELATION]),
    difference: z.strictObject({ value: CHANGE, interval: z.tuple([CHANGE, CHANGE]) }).nullable(),
  })),
});

/** Reads the record in `file`. Error messages contain the file and the key. */
export async function readSimilarity(file: string): Promise<SimilarityRecord> {
  return await readJsonBy(SCHEMA, file, "scores of embeddings");
}
