/**
 * Writes the built-in sample: parquet files in the Hub's layout and a README.
 * @module
 */

import { join } from "node:path";
import pl from "nodejs-polars";
import { writeFileAtomic } from "@/system/files.ts";
import { describeSample, type SampleRows } from "@/data/sample/describe_sample.ts";
import { generateSentences, joinTokens, type Sentence } from "@/data/sample/generate.ts";
import type { SampleSplit } from "@/data/sample/names.ts";
import type { TaggedRow, TextRow } from "@/data/rows.ts";

/** The seed of the committed sample. */
const SAMPLE_SEED = 2003;

/** Number of rows of each split. */
const SAMPLE_SIZES = {
  ag_news: { train: 3600, test: 600 },
  conll2003: { train: 3200, validation: 400, test: 600 },
} as const;

/** Generates all rows of the sample. */
export function generateSample(seed = SAMPLE_SEED): SampleRows {
  const make = (name: "ag_news" | "conll2003", split: SampleSplit, rows: number) =>
    generateSentences(rows, { split, seed, name });
  const { ag_news: texts, conll2003: tagged } = SAMPLE_SIZES;
  return {
    ag_news: {
      train: make("ag_news", "train", texts.train).map(toTextRow),
      test: make("ag_news", "test", texts.test).map(toTextRow),
    },
    conll2003: {
      train: make("conll2003", "train", tagged.train).map(toTaggedRow),
      validation: make("conll2003", "validation", tagged.validation).map(toTaggedRow),
      test: make("conll2003", "test", tagged.test).map(toTaggedRow),
    },
  };
}

/** Writes the sample into `folder`; equal seeds give equal bytes. */
export async function writeSample(folder: string, seed = SAMPLE_SEED): Promise<void> {
  const sample = generateSample(seed);
  for (const [split, rows] of Object.entries(sample.ag_news)) {
    const frame = pl.DataFrame({
      text: rows.map(({ text }) => text),
      label: rows.map(({ label }) => label),
    }, { schema: { text: pl.String, label: pl.Int64 } });
    await writeFileAtomic(join(folder, "ag_news", `${split}.parquet`), toParquet(frame));
  }
  for (const [split, rows] of Object.entries(sample.conll2003)) {
    const frame = pl.DataFrame({
      tokens: rows.map(({ tokens }) => [...tokens]),
      ner_tags: rows.map(({ tags }) => [...tags]),
    }, { schema: { tokens: pl.List(pl.String), ner_tags: pl.List(pl.Int64) } });
    await writeFileAtomic(join(folder, "conll2003", `${split}.parquet`), toParquet(frame));
  }
  await writeFileAtomic(join(folder, "README.md"), describeSample(sample, seed));
}

function toTextRow({ tokens, topic }: Sentence): TextRow {
  return { text: joinTokens(tokens), label: topic };
}

function toTaggedRow({ tokens, tags }: Sentence): TaggedRow {
  return { tokens, tags };
}

function toParquet(frame: pl.DataFrame): Uint8Array {
  return frame.writeParquet({ compression: "zstd" });
}
