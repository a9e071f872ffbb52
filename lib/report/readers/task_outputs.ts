/**
 * Reads what `deno task survey` and `deno task similarity` write with `--out`.
 * @module
 */

import * as z from "zod";
import { integer, text } from "@/schema.ts";
import { readJsonBy } from "@/system/json_files.ts";
import type { LengthGroup } from "../figures/data_figures.ts";
import type { BatchingCost } from "@/text/compare_padding.ts";
import type { DataStatistics } from "@/train/data_statistics.ts";
import { NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
import type { EmbeddingScores } from "@/eval/compare_embeddings.ts";
import { SIMILARITIES } from "@/eval/embedding_similarity.ts";

/** Data set statistics and the configuration of the run that they describe. */
export type DataStatisticsRecord = DataStatistics & {
  readonly preset: string;
  readonly seed: number;
  readonly batchRows: number;
};

const STATISTICS: z.ZodType<DataStatisticsRecord> = z.strictObject({
  preset: text,
  seed: integer(0),
  batchRows: integer(1),
  tasks: z.array(z.strictObject({
    task: text,
    train: integer(0),
    validation: integer(0),
    test: integer(0),
    cutRows: integer(0),
    cutWords: integer(0),
    lengths: z.array(z.strictObject({ length: integer(1), rows: integer(1) })),
    names: z.strictObject({ test: integer(0), unseen: integer(0) }).nullable(),
  })),
  padding: z.array(z.strictObject({ name: text, tokens: integer(1), paddedTokens: integer(1) })),
});

/** Reads the record in `file`. Error messages contain the file and the key. */
export async function readDataStatistics(file: string): Promise<DataStatisticsRecord> {
  return await readJsonBy(STATISTICS, file, "data set statistics");
}

/** Lengths of each task's training rows, one value per row, for a histogram. */
export function lengthGroups({ tasks }: DataStatistics): readonly LengthGroup[] {
  return tasks.map(({ task, lengths }) => ({
    name: task,
    lengths: lengths.flatMap(({ length, rows }) => Array<number>(rows).fill(length)),
  }));
}

/** Table rows, one per task; counts of entities are null for tasks without entities. */
export function dataStatisticsRows({ tasks }: DataStatistics) {
  return tasks.map(({ task, train, validation, test, cutRows, cutWords, names }) => ({
    task,
    train,
    validation,
    test,
    "train rows cut": cutRows,
    "tagged words cut": names === null ? null : cutWords,
    "entities in test": names?.test ?? null,
    "of them not in training (%)": names === null ? null : 100 * names.unseen / names.test,
  }));
}

/** Table rows, one per batching strategy, with the percentage of padding. */
export function paddingRows(padding: readonly BatchingCost[]) {
  return padding.map((cost) => ({
    ...cost,
    "padding (%)": 100 * (1 - cost.tokens / cost.paddedTokens),
  }));
}

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

const SIMILARITY: z.ZodType<SimilarityRecord> = z.strictObject({
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
  return await readJsonBy(SIMILARITY, file, "scores of embeddings");
}
