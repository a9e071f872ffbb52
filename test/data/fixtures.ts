/** Parquet files and tasks for the tests of `lib/data`. */

import { PLAIN_SPLIT } from "@/config/presets.ts";
import { dirname, join } from "node:path";
import pl from "nodejs-polars";
import type { TaskConfig } from "@/config/config.ts";

/** A classification task with three topics. */
export const TOPIC_TASK: TaskConfig = {
  name: "topics",
  kind: "classification",
  dataset: "news",
  columns: { text: "text", label: "label" },
  labels: ["A", "B", "C"],
  split: { validation: null, test: "test", ...PLAIN_SPLIT },
  dropInvalid: false,
  alsoTest: [],
  weight: 1,
  metric: "accuracy",
};

/** A tagging task with two entity types. */
export const NAME_TASK: TaskConfig = {
  name: "names",
  kind: "tagging",
  dataset: "words",
  columns: { tokens: "tokens", tags: "ner_tags" },
  labels: ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
  split: { validation: "validation", test: "test", ...PLAIN_SPLIT },
  dropInvalid: false,
  alsoTest: [],
  weight: 1,
  metric: "f1",
};

/** Calls `use` with a new folder, which is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes the columns to `folder/path`. Numbers become Int64 unless `schema` specifies another type. */
export async function writeParquet(
  folder: string,
  path: string,
  columns: Readonly<Record<string, readonly unknown[]>>,
  schema: Readonly<Record<string, pl.DataType>> = {},
): Promise<string> {
  const types = { label: pl.Int64, ner_tags: pl.List(pl.Int64), ...schema };
  const used = Object.entries(types).filter(([name]) => name in columns);
  const series = Object.entries(columns).map(([name, values]) => {
    const type = used.find(([key]) => key === name)?.[1];
    return type === undefined ? pl.Series(name, [...values]) : pl.Series(name, [...values], type);
  });
  const target = join(folder, path);
  await Deno.mkdir(dirname(target), { recursive: true });
  await Deno.writeFile(target, pl.DataFrame(series).writeParquet());
  return target;
}
