/**
 * Reads a run folder: configuration, environment, training metrics and scores. Reports and notebooks access runs
 * only through this module.
 * @module
 */

import { join } from "node:path";
import { isFile, isFolder, readJson, readText } from "@/system/files.ts";
import { ERRORS_FILE } from "@/train/choose_errors.ts";
import { readConfig, readLine, readPredictionError, readSummary } from "./read_parts.ts";
import { readLearningCurves, readVerdicts } from "./read_verdicts.ts";
import type { MetricRow, RunRecord } from "./run_record.ts";
import { type Place, type Reader, readObject, wrongShape } from "./shape.ts";

/** Reads the run in `dir`. Error messages contain the file, the line and the key. */
export async function readRun(dir: string): Promise<RunRecord> {
  if (!await isFolder(dir)) {
    throw new Deno.errors.NotFound(`Cannot read run: there is no folder ${dir}`);
  }
  const read = async (name: string) => {
    const file = join(dir, name);
    return { value: await readJson(file, "run"), place: { file, key: "" } };
  };
  const config = await read("config.json"), environment = await read("environment.json");
  const metrics = join(dir, "metrics.jsonl");
  const lines = readLines(await readText(metrics, "run"), metrics, readLine);
  const summary = await read("summary.json");
  const errors = join(dir, ERRORS_FILE);
  return {
    config: readConfig(config.value, config.place),
    environment: readObject(environment.value, environment.place),
    train: lines.filter((line) => line.kind === "train"),
    evaluations: lines.filter((line) => line.kind === "evaluate"),
    summary: readSummary(summary.value, summary.place),
    errors: await isFile(errors)
      ? readLines(await readText(errors, "run"), errors, readPredictionError)
      : null,
    verdicts: await readVerdicts(dir),
    learningCurves: await readLearningCurves(dir),
  };
}

/** Training metrics of a run as tidy rows with one number each. */
export function rows({ summary, train }: RunRecord): MetricRow[] {
  const run = summary.name;
  return train.flatMap(({ step, losses, gradientNorm, rate }): MetricRow[] => [
    ...Object.entries(losses).map((
      [task, value],
    ) => ({ run, step, task, measure: "loss", value } as const)),
    { run, step, task: null, measure: "gradientNorm", value: gradientNorm },
    { run, step, task: null, measure: "rate", value: rate },
  ]);
}

function readLines<T>(text: string, file: string, read: Reader<T>): T[] {
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const place = { file: `${file} line ${index + 1}`, key: "" };
    return [read(parseLine(line, place), place)];
  });
}

function parseLine(line: string, place: Place): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw wrongShape(place, "JSON", line);
  }
}
