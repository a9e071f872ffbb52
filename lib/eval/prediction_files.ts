/**
 * Prediction files in the folder of a run: `predictions/<task>.<split>.jsonl`.
 * @module
 */

import { join } from "node:path";
import {
  formatPredictions,
  parsePredictions,
  type PredictionRecord,
} from "@/eval/prediction_record.ts";
import { isFolder, readText, writeFileAtomic } from "@/system/files.ts";

const FOLDER = "predictions";

/** Writes a record into the folder of a run. Returns the path relative to that folder. */
export async function writePredictions(run: string, record: PredictionRecord): Promise<string> {
  const name = [record.task, record.split].map(encodeURIComponent).join(".") + ".jsonl";
  await writeFileAtomic(join(run, FOLDER, name), formatPredictions(record));
  return join(FOLDER, name);
}

/** Reads all records of a run, sorted by file name; empty if the folder does not exist. */
export async function readPredictions(run: string): Promise<PredictionRecord[]> {
  const folder = join(run, FOLDER);
  if (!await isFolder(folder)) return [];
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const records: PredictionRecord[] = [];
  for (const name of names.filter((name) => /^[^.].*\.jsonl$/.test(name)).sort()) {
    const file = join(folder, name);
    records.push(parsePredictions(await readText(file, "predictions"), file));
  }
  return records;
}
