/**
 * Trains the runs of notebooks, alone or as variants by seed that are compared like the committed experiments, and caches
 * them. The cache key is a hash of everything that a run depends
 * on: its configuration, the device and executor, the code and the sample. Notebooks with the same
 * configuration share a run; a change to any of these trains it again.
 *
 * The cache is `.cache/runs/` in the project, or `runs/` in the folder that the environment variable
 * STX_CACHE names. It may be deleted at any time.
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { scratchFolder } from "@/system/cache_folder.ts";
import type { RunConfig } from "@/config/config.ts";
import { SAMPLE_FOLDER } from "@/data/local.ts";
import { openConfiguredEngine } from "@/system/configured_engine.ts";
import { describeEnvironment } from "@/system/environment.ts";
import { RunScores } from "@/export/score_run.ts";
import { isFile } from "@/system/files.ts";
import type { ProgressView } from "@/progress.ts";
import { readRun } from "@/report/readers/read_run.ts";
import type { RunRecord } from "@/report/readers/run_record.ts";
import { TrainingInterrupted } from "@/train/resume.ts";
import { trainRun } from "@/train/train_run.ts";
import { NamedList } from "./named_list.ts";
import { createNotebookProgress } from "./notebook_progress.ts";
import {
  type Changes,
  type Experiment,
  selectTasks,
  type Variant,
} from "@/experiment/declaration.ts";
import { type CurveRow, listResults, type ResultRow } from "@/experiment/results.ts";
import { notebookConfig } from "./notebook_config.ts";
import { compareExperiment, type NotebookExperiment } from "./read_experiment.ts";

/** A finished run with the name that the notebook gave it. */
type TrainedRun = {
  readonly name: string;
  readonly config: RunConfig;
  /** Folder of the run. */
  readonly dir: string;
  /** The content of its files. */
  readonly record: RunRecord;
  /** Scores by task and split. */
  readonly scores: RunScores;
};

/** Cache folder, progress view and clock; the defaults are those of a notebook. */
type TrainRunsOptions = {
  readonly folder?: string;
  readonly view?: ProgressView;
  readonly nowMs?: () => number;
};

/** Folder of the cached runs. */
function findRunsFolder(): string {
  return scratchFolder("runs");
}

/**
 * Trains each configuration that is not in the cache, one after the other. Returns the runs by name, in the
 * order of `configs`. Progress has one line per run, the same for trained and cached runs. A second call
 * resumes an interrupted run from its saved step.
 */
export async function trainRuns(
  configs: Readonly<Record<string, RunConfig>>,
  options: TrainRunsOptions = {},
): Promise<NamedList<TrainedRun>> {
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
      const scores = new RunScores(record.summary.scores);
      const { steps } = record.summary;
      view.update({ done: steps, total: steps, label: name });
      runs.push({ name, config, dir, record, scores });
    }
  } finally {
    await view.finish(); // shows an interrupted run with its finished steps
  }
  return new NamedList("run", runs.map((run) => [run.name, run]));
}

/** Returns the folder of a run; trains it if it is not in the cache. */
async function trainOnce(
  config: RunConfig,
  { folder, code, nowMs, view }: Required<TrainRunsOptions> & { readonly code: string },
): Promise<string> {
  const engine = await openConfiguredEngine(config);
  const environment = describeEnvironment(config.device, engine);
  const content = JSON.stringify([config, environment, code]);
  const key = createHash("sha256").update(content).digest("hex").slice(0, 16);
  const dir = join(folder, key);
  if (await isFile(join(dir, "summary.json"))) return dir;
  const place = join(folder, `.begun-${key}`); // holds a checkpoint if training was interrupted
  await Deno.mkdir(place, { recursive: true });
  using lock = await Deno.open(join(place, "lock"), { write: true, create: true });
  await lock.lock(true); // another process may be training the same run
  if (await isFile(join(dir, "summary.json"))) return dir;
  try {
    const out = join(place, key);
    const resume = await isFile(join(out, "config.json"));
    await trainRun(config, { out, resume, environment, nowMs, view });
    await Deno.rename(out, dir);
  } catch (error) {
    if (!(error instanceof TrainingInterrupted)) await Deno.remove(place, { recursive: true });
    throw error instanceof TrainingInterrupted
      ? new TrainingInterrupted(error.when, "execute the cell again to resume", error.resumable)
      : error;
  }
  await Deno.remove(place, { recursive: true });
  return dir;
}

/** Shows the training progress of a run under its name, and no other progress. */
function onlyTraining(view: ProgressView, label: string): ProgressView {
  return {
    update(progress) {
      if (progress.label === "train") view.update({ ...progress, label });
    },
    finish() {}, // the next run uses the same view
  };
}

/** Hash of the files that determine the numbers of a run: code and sample. */
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
  for (const name of COMPUTING) await add(join(lib, name));
  await add(SAMPLE_FOLDER);
  return hash.digest("hex");
}

/** Folders of `lib/` whose code determines the numbers of a run. */
const COMPUTING = ["engine", "data", "text", "model", "eval", "train"];

/** Title, seeds and settings that all variants share. */
type VariantsOptions = TrainRunsOptions & {
  readonly title: string;
  readonly seeds: readonly number[];
  /** Configuration of all variants, by dotted key. */
  readonly set?: Changes;
  /** Further configuration for the built-in sample, which keeps its runs short. */
  readonly sample?: Changes;
  /** Reads an environment variable, as in {@link notebookConfig}. */
  readonly read?: (name: string) => string | undefined;
};

/** A variant: the configuration that it changes, and its tasks (all by default). */
type NotebookVariant = Pick<Variant, "tasks"> & { readonly set?: Changes };

/** An experiment with its trained runs, named `VARIANT, seed SEED`. */
type TrainedExperiment = NotebookExperiment & { readonly trained: NamedList<TrainedRun> };

const assignments = (changes: Changes) =>
  Object.entries(changes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);

/** Trains each variant with each seed. Compares validation scores with those of the first variant. */
export async function trainVariants(
  given: Readonly<Record<string, NotebookVariant>>,
  { title, seeds, set = {}, sample = {}, read, ...options }: VariantsOptions,
): Promise<TrainedExperiment> {
  const variants: readonly Variant[] = Object.entries(given)
    .map(([name, { set = {}, ...rest }]) => ({ name, set, ...rest }));
  const planned = variants.flatMap((variant) =>
    seeds.map((seed) => ({
      variant,
      seed,
      config: selectTasks(
        notebookConfig({
          set: assignments({ ...set, ...variant.set, seed }),
          // a variant's own settings override those of the sample
          sample: assignments(sample),
          ...(read !== undefined && { read }),
        }),
        variant,
      ),
    }))
  );
  const trained = await trainRuns(
    Object.fromEntries(
      planned.map(({ variant, seed, config }) => [`${variant.name}, seed ${seed}`, config]),
    ),
    options,
  );
  const rows: ResultRow[] = [], curves: CurveRow[] = [];
  planned.forEach(({ variant, seed }, i) => {
    const run = trained[i];
    if (run === undefined) throw new TypeError("internal: each plan must have a run");
    const found = listResults(run.record, { variant: variant.name, seed, score: "validation" });
    rows.push(...found.rows);
    curves.push(...found.curves);
  });
  const experiment: Experiment = {
    name: "notebook",
    title,
    question: title,
    preset: planned[0]?.config.preset ?? "",
    base: { ...sample, ...set },
    variants,
    reference: variants[0]?.name ?? "",
    seeds,
    score: "validation",
  };
  const compared = compareExperiment({
    experiment,
    rows,
    curves,
    runs: { present: trained.length, declared: trained.length },
    machines: [],
    starts: { dates: [], commits: [] },
  });
  return { ...compared, trained };
}
