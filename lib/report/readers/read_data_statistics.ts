/**
 * Reads the output of `deno task survey --out`.
 * @module
 */
import * as z from "zod";
import { integer, text } from "@/schema.ts";
import { readJsonBy } from "@/system/json_files.ts";
import type { LengthGroup } from "../figures/data_figures.ts";
import type { BatchingCost } from "@/text/compare_padding.ts";
import type { DataStatistics } from "@/train/data_statistics.ts";

/** Data set statistics and the configuration of the run that they describe. */
export type DataStatisticsRecord = DataStatistics & {
  readonly preset: string;
  readonly seed: number;
  readonly batchRows: number;
};

const SCHEMA: z.ZodType<DataStatisticsRecord> = z.strictObject({
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
  return await readJsonBy(SCHEMA, file, "data set statistics");
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
