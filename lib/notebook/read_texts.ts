/**
 * Texts and sentence pairs for notebooks, from the test split, which no run is trained on.
 * @module
 */

import type { RunConfig } from "@/config/config.ts";
import { openDataSource } from "@/data/open_source.ts";
import { isTaggedRow } from "@/data/rows.ts";
import { pairByClass, readSentencePairs, type SentencePair } from "@/data/sentence_pairs.ts";
import { stream } from "@/random.ts";
import { loadRunRows } from "@/train/run_data.ts";

/** A text and the name of its class. */
type LabeledText = { readonly text: string; readonly label: string };

/** The first `rows` test texts of the first classification task. */
export async function readTexts(
  config: RunConfig | undefined,
  { rows }: { readonly rows: number },
): Promise<LabeledText[]> {
  const { task, test } = await findClassification(config);
  return test.slice(0, rows).flatMap((row) =>
    isTaggedRow(row) ? [] : [{ text: row.text, label: task.labels[row.label] ?? String(row.label) }]
  );
}

/** Pairs of the STS-B test split if the data folder has them, else pairs of test texts by class. */
export async function readPairs(config: RunConfig | undefined): Promise<SentencePair[]> {
  const { data, test } = await findClassification(config);
  const { dir, maxRows } = data;
  if (dir !== null) {
    const files = await openDataSource(dir).files("stsb", "test").catch((error) => {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    });
    if (files.length > 0) return (await readSentencePairs(files)).slice(0, maxRows ?? undefined);
  }
  return pairByClass(test, stream(config?.seed ?? 1, "pairs"));
}

async function findClassification(config: RunConfig | undefined) {
  const tasks = config?.tasks.filter(({ kind }) => kind === "classification") ?? [];
  const [first] = config === undefined ? [] : await loadRunRows({ ...config, tasks });
  if (config === undefined || first === undefined) {
    throw new RangeError(
      "the run has no classification task to read texts from",
    );
  }
  return { ...first, data: config.data };
}
