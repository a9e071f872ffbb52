/**
 * Writes the built-in sample: parquet files in the Hub's layout and their README.
 * @module
 */

import { join } from "node:path";
import pl from "nodejs-polars";
import { writeFileAtomic } from "@/files.ts";
import { generateSentences, joinTokens } from "@/data/sample/generate.ts";
import type { SampleSplit } from "@/data/sample/names.ts";

/** The seed that the committed sample was made with. */
export const SAMPLE_SEED = 2003;

/** Rows of each split. */
export const SAMPLE_ROWS = {
  ag_news: { train: 3600, test: 600 },
  conll2003: { train: 3200, validation: 400, test: 600 },
} as const;

/** Writes all of the sample into `folder`; the same seed gives the same bytes. */
export async function writeSample(folder: string, seed = SAMPLE_SEED): Promise<void> {
  for (const [split, rows] of Object.entries(SAMPLE_ROWS.ag_news)) {
    const sentences = generateSentences(rows, {
      split: split as SampleSplit,
      seed,
      name: "ag_news",
    });
    const frame = pl.DataFrame({
      text: sentences.map(({ tokens }) => joinTokens(tokens)),
      label: sentences.map(({ topic }) => topic),
    }, { schema: { text: pl.String, label: pl.Int64 } });
    await writeFileAtomic(join(folder, "ag_news", `${split}.parquet`), toParquet(frame));
  }
  for (const [split, rows] of Object.entries(SAMPLE_ROWS.conll2003)) {
    const sentences = generateSentences(rows, {
      split: split as SampleSplit,
      seed,
      name: "conll2003",
    });
    const frame = pl.DataFrame({
      tokens: sentences.map(({ tokens }) => [...tokens]),
      ner_tags: sentences.map(({ tags }) => [...tags]),
    }, { schema: { tokens: pl.List(pl.String), ner_tags: pl.List(pl.Int64) } });
    await writeFileAtomic(join(folder, "conll2003", `${split}.parquet`), toParquet(frame));
  }
}

function toParquet(frame: pl.DataFrame): Uint8Array {
  return frame.writeParquet({ compression: "zstd" });
}
