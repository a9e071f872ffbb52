/**
 * Results of finished runs by name: scores, figures, tables and comparisons.
 * @module
 */
import { basename, resolve } from "node:path";
import { RunScores } from "@/export/run_scores.ts";
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
import { recordTables } from "@/report/run_tables.ts";

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
 * import { compare } from "@/api/library.ts";
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
