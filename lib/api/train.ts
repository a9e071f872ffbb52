/**
 * Trains a run by one call: resolves the configuration, opens the engine, shows progress, trains, evaluates,
 * and writes report and card.
 * @module
 */
import { join } from "node:path";
import { RunScores } from "@/api/scores.ts";
import { createTerminalProgress, printLine } from "@/cli/progress.ts";
import { showCompiling } from "@/cli/show_compiling.ts";
import type { RunConfig } from "@/config.ts";
import { engineOptions, openEngine } from "@/engine/engine.ts";
import { writeCard } from "@/export/write_card.ts";
import { isFile, isFolder } from "@/files.ts";
import { findJupyter } from "@/interrupt.ts";
import { createNotebookProgress } from "@/notebook/notebook_progress.ts";
import { type Progress, type ProgressView, SILENT } from "@/progress.ts";
import { writeReport } from "@/report/write_report.ts";
import { type ConfigOverrides, resolveConfig } from "@/resolve_config.ts";
import { chooseRunFolder } from "@/train/run_folder.ts";
import { TrainingInterrupted } from "@/train/resume.ts";
import type { RunSummary } from "@/train/run_summary.ts";
import { type StepEvent, trainRun } from "@/train/train_run.ts";

/** How progress is shown: a line on stderr (in a notebook a display), nothing, or by a function. */
export type ProgressOption = "terminal" | "none" | ((progress: Progress) => void);

/** What {@link train} trains; all of it may be left out. */
export type TrainSettings = {
  /** One of `quickstart` (the default: built-in sample, offline), `minilm` and `bert-base`. */
  readonly preset?: string;
  /** Keys that differ from the preset's, such as `{ training: { maxSteps: 20 } }`. */
  readonly overrides?: ConfigOverrides;
  /** Folder of the run; by default the first of `outputs/PRESET`, `outputs/PRESET-2`, … that is free. */
  readonly out?: string;
  /** Deletes the run that is in `out`. */
  readonly overwrite?: boolean;
  /** Goes on with the run that is in `out`, or begins one if there is none. */
  readonly resume?: boolean;
  /** Default: `terminal`. */
  readonly progress?: ProgressOption;
  /** Writes `report.md` and `report.html`; default: true. */
  readonly report?: boolean;
  /** Called after each step. */
  readonly onStep?: (event: StepEvent) => void;
  /**
   * Once aborted, the step is saved and the call throws `Deno.errors.Interrupted`; `resume` then goes on.
   * By default Ctrl+C does that, in a notebook Jupyter's interrupt.
   */
  readonly signal?: AbortSignal;
};

/** A run that has ended. */
export type TrainedRun = {
  /** Its folder, which `encode`, `predict` and `evaluate` take. */
  readonly dir: string;
  /** The complete configuration. */
  readonly config: RunConfig;
  /** What `summary.json` holds: scores by task and split, steps, seconds. */
  readonly summary: RunSummary;
  /** The scores, with accessors by task and split. */
  readonly scores: RunScores;
};

/**
 * Trains and evaluates a run, writes its folder and its report.
 *
 * @example
 * ```ts
 * import { train } from "@/api/train.ts";
 * const short = { training: { maxSteps: 20 } };
 * // const { scores } = await train({ preset: "quickstart", out: "run", overrides: short });
 * // scores.classification("ag_news").accuracy;
 * ```
 *
 * @throws {Deno.errors.AlreadyExists} if `out` is not empty and neither `overwrite` nor `resume` is set
 * @throws {Deno.errors.Interrupted} if it was interrupted
 */
export async function train(settings: TrainSettings = {}): Promise<TrainedRun> {
  const { preset, overrides, progress = "terminal", report = true, onStep } = settings;
  const config = resolveConfig({ preset, overrides });
  const { dir, resume } = await prepareFolder(settings, config.preset);
  const onNote = progress === "terminal" && findJupyter() === null ? printLine : () => {};
  await openEngine({ ...engineOptions(config), onNote });
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
    throw new TrainingInterrupted(error.when, `resume: true goes on with the run in ${dir}`, true);
  });
  if (report) await writeReport(dir);
  if (await isFile(join(dir, "model", "heads.json"))) await writeCard(dir);
  return { dir, config, summary, scores: new RunScores(summary.scores) };
}

/** The folder to train in, free or of a run to resume. */
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
      `Cannot train into ${out}: the folder is not empty and holds no run; choose another out`,
    );
  }
  if (!overwrite) {
    throw new Deno.errors.AlreadyExists(
      `Cannot train into ${out}: it holds a run; pass resume: true to go on with it, overwrite: true ` +
        "to delete it, or choose another out",
    );
  }
  await Deno.remove(out, { recursive: true });
  return { dir: out, resume: false };
}

/** The view of an option. */
function openView(progress: ProgressOption): ProgressView {
  if (typeof progress === "function") return { update: progress, finish() {} };
  if (progress === "none") return SILENT;
  return findJupyter() === null
    ? showCompiling(createTerminalProgress())
    : createNotebookProgress();
}

/** Ctrl+C may arrive twice, forwarded by `deno task`; after this time another one ends the process. */
const SAME_SIGNAL_MS = 1000;

/** The caller's signal; without one, a signal that Ctrl+C aborts. A kernel has its own interrupt. */
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
