/**
 * Trains a run with one call: resolves the configuration, opens the engine, shows progress, trains, evaluates, and
 * writes the report and the model card. Finished runs give their scores, figures and tables by name.
 * @module
 */

import { basename, join, resolve } from "node:path";
import { RunScores } from "@/export/score_run.ts";
import { createTerminalProgress, printLine, showCompiling } from "@/cli/terminal_progress.ts";
import type { RunConfig } from "@/config/config.ts";
import { writeCard } from "@/export/write_card.ts";
import { openConfiguredEngine } from "@/system/configured_engine.ts";
import { isFile, isFolder } from "@/system/files.ts";
import { findJupyter } from "@/system/interrupt.ts";
import { createNotebookProgress } from "@/notebook/notebook_progress.ts";
import { type Progress, type ProgressView, SILENT } from "@/progress.ts";
import { writeReport } from "@/report/write_report.ts";
import { type ConfigOverrides, resolveConfig } from "@/config/resolve_config.ts";
import { chooseRunFolder } from "@/train/run_folder.ts";
import { TrainingInterrupted } from "@/train/resume.ts";
import type { RunSummary } from "@/train/run_summary.ts";
import { type StepEvent, trainRun } from "@/train/train_run.ts";
import {
  type CompareOptions,
  compareRuns,
  type Comparison,
  type RunComparison,
} from "@/eval/compare_runs.ts";
import { Named } from "@/named.ts";
import { composeReport } from "@/report/markdown.ts";
import type { Figure } from "@/report/figures/figure.ts";
import { readRun } from "@/report/readers/read_run.ts";
import type { RunRecord } from "@/report/readers/run_record.ts";
import { recordTables } from "@/report/tables.ts";

/**
 * How progress is shown: `terminal` is a line on stderr, or a display in a notebook; `none` is silent; a function
 * receives every update.
 */
export type ProgressOption = "terminal" | "none" | ((progress: Progress) => void);

/** Options of {@link train}; all are optional. */
export type TrainSettings = {
  /** `quickstart` (default; uses the built-in sample and works offline), `minilm` or `bert-base`. */
  readonly preset?: string;
  /** Configuration keys to change from the preset, such as `{ training: { maxSteps: 20 } }`; lists are replaced. */
  readonly overrides?: ConfigOverrides;
  /** Run folder; default: the first of `outputs/PRESET`, `outputs/PRESET-2`, … that does not exist. */
  readonly out?: string;
  /** Deletes an existing run in `out` before training. Default: false. */
  readonly overwrite?: boolean;
  /** Resumes the run in `out`, or starts a new one if there is none. Default: false. */
  readonly resume?: boolean;
  /** How progress is shown; default: `terminal`. */
  readonly progress?: ProgressOption;
  /** Writes `report.md` and `report.html` into the run folder. Default: true. */
  readonly report?: boolean;
  /** Called after each training step. */
  readonly onStep?: (event: StepEvent) => void;
  /**
   * Aborting it interrupts training: the run saves a checkpoint, and the call throws `Deno.errors.Interrupted`. `resume`
   * continues the run. Default: Ctrl+C interrupts, in a notebook the interrupt of Jupyter.
   */
  readonly signal?: AbortSignal;
};

/** A finished run. */
export type TrainedRun = {
  /** Run folder, an argument for `encode`, `predict` and `evaluate`. */
  readonly dir: string;
  /** The complete configuration. */
  readonly config: RunConfig;
  /** The content of `summary.json`: scores by task and split, steps, seconds. */
  readonly summary: RunSummary;
  /** The scores, with accessors by task and split. */
  readonly scores: RunScores;
};

/**
 * Trains and evaluates a run, and writes its folder, report and model card.
 *
 * @example
 * ```ts
 * import { train } from "./training.ts";
 * const short = { training: { maxSteps: 20 } };
 * // const { scores } = await train({ preset: "quickstart", out: "run", overrides: short });
 * // scores.classification("ag_news").accuracy;
 * ```
 *
 * @throws {Deno.errors.AlreadyExists} if `out` is not empty and neither `overwrite` nor `resume` is set
 * @throws {Deno.errors.Interrupted} if training was interrupted
 */
export async function train(settings: TrainSettings = {}): Promise<TrainedRun> {
  const { preset, overrides, progress = "terminal", report = true, onStep } = settings;
  const config = resolveConfig({ preset, overrides });
  const { dir, resume } = await prepareFolder(settings, config.preset);
  const onNote = progress === "terminal" && findJupyter() === null ? printLine : () => {};
  await openConfiguredEngine(config, onNote);
  using interrupt = listenForCtrlC(settings.signal);
  const summary = await trainRun(config, {
    out: dir,
    resume,
    view: openView(progress),
    onNote,
    ...(onStep && { onStep }),
    ...(interrupt.signal && { signal: interrupt.signal }),
  }).catch((error) => {
    if (!(error instanceof TrainingInterrupted) || !error.resumable) throw error;
    throw new TrainingInterrupted(
      error.when,
      `train() with resume: true continues the run in ${dir}`,
      true,
    );
  });
  if (report) await writeReport(dir);
  if (await isFile(join(dir, "model", "heads.json"))) await writeCard(dir);
  return { dir, config, summary, scores: new RunScores(summary.scores) };
}

/** Finds or clears the folder to train in; `resume` is true if it has a run to resume. */
async function prepareFolder(
  { out, overwrite = false, resume = false }: TrainSettings,
  preset: string,
): Promise<{ readonly dir: string; readonly resume: boolean }> {
  if (overwrite && resume) {
    throw new RangeError("Cannot train with both overwrite and resume: choose one");
  }
  if (out === undefined) {
    if (overwrite || resume) {
      throw new RangeError(
        `Cannot train with ${overwrite ? "overwrite" : "resume"}: out must name the run's folder`,
      );
    }
    return { dir: await chooseRunFolder(preset), resume: false };
  }
  const isRun = await isFile(join(out, "config.json")) &&
    await isFile(join(out, "environment.json"));
  if (resume && isRun) return { dir: out, resume };
  const holds = await isFolder(out) && (await Array.fromAsync(Deno.readDir(out))).length > 0;
  if (!holds) return { dir: out, resume: false };
  if (!isRun) {
    throw new Deno.errors.AlreadyExists(
      `Cannot train into ${out}: the folder is not empty and has no run; choose another out`,
    );
  }
  if (!overwrite) {
    throw new Deno.errors.AlreadyExists(
      `Cannot train into ${out}: it holds a run; pass resume: true to continue it, overwrite: true ` +
        "to delete it, or choose another out",
    );
  }
  await Deno.remove(out, { recursive: true });
  return { dir: out, resume: false };
}

/** Opens the progress view of an option. */
function openView(progress: ProgressOption): ProgressView {
  if (typeof progress === "function") return { update: progress, finish() {} };
  if (progress === "none") return SILENT;
  return findJupyter() === null
    ? showCompiling(createTerminalProgress())
    : createNotebookProgress();
}

/** One Ctrl+C may arrive twice, because `deno task` forwards it. After this time, another one ends the process. */
const SAME_SIGNAL_MS = 1000;

/** Returns the caller's signal, else one that Ctrl+C aborts. Jupyter kernels have their own interrupt. */
function listenForCtrlC(
  signal: AbortSignal | undefined,
): Disposable & { readonly signal: AbortSignal | undefined } {
  if (signal !== undefined || findJupyter() !== null) return { signal, [Symbol.dispose]() {} };
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    abort.abort();
    timer ??= setTimeout(() => Deno.removeSignalListener("SIGINT", stop), SAME_SIGNAL_MS);
  };
  Deno.addSignalListener("SIGINT", stop);
  return {
    signal: abort.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      Deno.removeSignalListener("SIGINT", stop);
    },
  };
}

/** A finished run that was read from its folder. */
export type RunResults = {
  /** Its folder. */
  readonly dir: string;
  /** The content of its files: configuration, environment, training log, evaluations, summary. */
  readonly record: RunRecord;
  /** Scores by task and split. */
  readonly scores: RunScores;
};

/**
 * Reads a finished run from its folder.
 *
 * @throws {Deno.errors.NotFound} if there is no such folder or the run has not ended
 */
export async function loadRun(dir: string): Promise<RunResults> {
  const record = await readRun(dir);
  return { dir, record, scores: new RunScores(record.summary.scores) };
}

/** A run: the path of its folder, or a result of {@link loadRun} or {@link train}. */
export type RunSource = string | { readonly dir: string };

/** Folder of a run. */
const folderOf = (run: RunSource) => typeof run === "string" ? run : run.dir;

/**
 * Draws the figures of a run's report. Names: `losses`, `validation`, `schedule`, `gradient-norm`,
 * `rates`, `learning-rate-plan`, and for each task `confusion-TASK` and `reliability-TASK` or
 * `entities-TASK` and `errors-TASK`. Figures without data are omitted.
 */
export async function figures(run: RunSource): Promise<Named<Figure>> {
  const { figures: drawn } = composeReport(await readRun(folderOf(run)));
  return new Named(
    "figure",
    [...drawn].map(([path, figure]) =>
      [decodeURIComponent(basename(path, ".png")), figure] as const
    ),
  );
}

/**
 * Composes the tables of a run's report, in Markdown. Names: `headline`, `classification`, `calibration`,
 * `entities`, `evaluations`, `groups`, `data`, `environment`, and for each task `classes-TASK` or
 * `types-TASK` and `errors-TASK`. Tables without rows are omitted.
 */
export async function tables(run: RunSource): Promise<Named<string>> {
  return new Named("table", recordTables(await readRun(folderOf(run))));
}

/** A comparison of two runs. `first` and `second` are fractions, 0 to 1. */
export type ComparedRuns = RunComparison & {
  /**
   * Returns the comparison of one task on one split by one score. Default: accuracy or entity F1 on test.
   *
   * @throws {RangeError} if there is none; the message lists the existing ones
   */
  get(
    task: string,
    options?: { readonly split?: string; readonly measure?: Comparison["measure"] },
  ): Comparison;
};

/**
 * Compares two runs with a paired bootstrap, on every split for which both have saved predictions.
 *
 * @example
 * ```ts
 * import { compare } from "./library.ts";
 * // const { difference, interval } = (await compare("outputs/a", "outputs/b")).get("ag_news");
 * ```
 */
export async function compare(
  first: RunSource,
  second: RunSource,
  options: CompareOptions = {},
): Promise<ComparedRuns> {
  const compared = await compareRuns(folderOf(first), folderOf(second), options);
  const { comparisons } = compared;
  return {
    ...compared,
    get(task, { split = "test", measure } = {}) {
      const ofTask = Map.groupBy(comparisons, (each) => each.task);
      const ofSplit = Map.groupBy(new Named("task", ofTask).get(task), (each) => each.split);
      const found = new Named(`split of ${task}`, ofSplit).get(split);
      const byMeasure = new Named("measure", found.map((each) => [each.measure, each] as const));
      return byMeasure.get(measure ?? (byMeasure.has("accuracy") ? "accuracy" : "f1"));
    },
  };
}

/**
 * Reads several finished runs with {@link loadRun}. A list of folders is named by the last part of each path; a record
 * maps names of your choice to folders.
 */
export async function loadRuns(
  dirs: readonly string[] | Readonly<Record<string, string>>,
): Promise<Named<RunResults>> {
  const named = Array.isArray(dirs)
    ? dirs.map((dir: string) => [basename(resolve(dir)), dir] as const)
    : Object.entries(dirs);
  const runs: [string, RunResults][] = [];
  for (const [name, dir] of named) runs.push([name, await loadRun(dir)]);
  return new Named("run", runs);
}
