/**
 * Runs that notebooks look at, trained once: a run is kept under a hash of all that it depends on (its
 * configuration, what computes it, the code, the sample), so notebooks that ask for the same share it and
 * a change of any of these trains it again.
 *
 * They lie in `.cache/runs/` of the project, or in `runs/` of the folder that the environment variable
 * STX_CACHE names, and may be deleted at any time.
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { scratchFolder } from "@/cache_folder.ts";
import type { RunConfig } from "@/config.ts";
import { SAMPLE_FOLDER } from "@/data/sample_source.ts";
import { engineOptions, openEngine } from "@/engine/engine.ts";
import { describeEnvironment } from "@/environment.ts";
import { isFile } from "@/files.ts";
import type { ProgressView } from "@/progress.ts";
import { readRun } from "@/report/read_run.ts";
import type { RunRecord } from "@/report/run_record.ts";
import { TrainingInterrupted } from "@/train/resume.ts";
import { trainRun } from "@/train/train_run.ts";
import { createNotebookProgress } from "./notebook_progress.ts";

/** A finished run by the name that a notebook gave it. */
export type TrainedRun = {
  readonly name: string;
  readonly config: RunConfig;
  /** Its folder, model and predictions included. */
  readonly dir: string;
  readonly record: RunRecord;
};

/** Where runs are kept and who watches; the defaults are a notebook's. */
export type TrainRunsOptions = {
  readonly folder?: string;
  readonly view?: ProgressView;
  readonly nowMs?: () => number;
};

/** The folder of kept runs. */
export function findRunsFolder(): string {
  return scratchFolder("runs");
}

/**
 * Trains every configuration that is not kept yet, one after the other, and gives all runs in the order of
 * the names. The view has a line for each, the same whether it was trained or kept. A run that was
 * interrupted goes on from the step that was saved when the call is made again.
 */
export async function trainRuns(
  configs: Readonly<Record<string, RunConfig>>,
  options: TrainRunsOptions = {},
): Promise<readonly TrainedRun[]> {
  const {
    folder = findRunsFolder(),
    view = createNotebookProgress(),
    nowMs = () => performance.now(),
  } = options;
  const code = await hashFiles();
  const runs: TrainedRun[] = [];
  try {
    for (const [name, config] of Object.entries(configs)) {
      const dir = await trainOnce(config, { folder, code, nowMs, view: onlyTraining(view, name) });
      const record = await readRun(dir);
      const { steps } = record.summary;
      view.update({ done: steps, total: steps, label: name });
      runs.push({ name, config, dir, record });
    }
  } finally {
    await view.finish(); // an interrupted run is shown with the steps that it did
  }
  return runs;
}

/** The folder of a run, trained now if it is not there. */
async function trainOnce(
  config: RunConfig,
  { folder, code, nowMs, view }: Required<TrainRunsOptions> & { readonly code: string },
): Promise<string> {
  const engine = await openEngine(engineOptions(config));
  const environment = describeEnvironment(config.device, engine);
  const content = JSON.stringify([config, environment, code]);
  const key = createHash("sha256").update(content).digest("hex").slice(0, 16);
  const dir = join(folder, key);
  if (await isFile(join(dir, "summary.json"))) return dir;
  const place = join(folder, `.begun-${key}`); // with a checkpoint if training was interrupted
  await Deno.mkdir(place, { recursive: true });
  using lock = await Deno.open(join(place, "lock"), { write: true, create: true });
  await lock.lock(true); // another process may train the same
  if (await isFile(join(dir, "summary.json"))) return dir;
  try {
    const out = join(place, key);
    const resume = await isFile(join(out, "config.json"));
    await trainRun(config, { out, resume, environment, nowMs, view });
    await Deno.rename(out, dir);
  } catch (error) {
    if (!(error instanceof TrainingInterrupted)) await Deno.remove(place, { recursive: true });
    throw error instanceof TrainingInterrupted
      ? new TrainingInterrupted(error.when, "execute the cell again to go on", error.resumable)
      : error;
  }
  await Deno.remove(place, { recursive: true });
  return dir;
}

/** Shows the training of a run under its name, and none of its other work. */
function onlyTraining(view: ProgressView, label: string): ProgressView {
  return {
    update(progress) {
      if (progress.label === "train") view.update({ ...progress, label });
    },
    finish() {}, // the view goes on with the next run
  };
}

/** A hash over the files that a run's numbers come from: the code and the sample. */
async function hashFiles(): Promise<string> {
  const hash = createHash("sha256");
  const add = async (folder: string) => {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
      const path = join(folder, name);
      if (isDirectory) await add(path);
      else if (/\.(ts|c|h|parquet)$/.test(name)) {
        hash.update(name).update(await Deno.readFile(path));
      }
    }
  };
  const lib = fileURLToPath(new URL("..", import.meta.url));
  for (const room of COMPUTING) await add(join(lib, room));
  await add(SAMPLE_FOLDER);
  return hash.digest("hex");
}

/** Rooms that a run's numbers come from. */
const COMPUTING = ["engine", "data", "text", "model", "eval", "train"];
