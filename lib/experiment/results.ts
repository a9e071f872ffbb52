/**
 * Results of an experiment's available runs, as rows for tables and figures with one number each.
 * @module
 */
import { join } from "node:path";
import {
  type Experiment,
  planRuns,
  readExperiment,
  type ScoreSplit,
} from "@/experiment/declaration.ts";
import type { RunPool } from "@/experiment/run_pool.ts";
import { readJson } from "@/system/files.ts";
import { formatThreads } from "@/system/machine.ts";
import { readRun } from "@/report/readers/read_run.ts";
import { type MainMeasure, mainMeasure, type RunRecord } from "@/report/readers/run_record.ts";

/** Main score of one task in one run. */
export type ResultRow = MainMeasure & {
  readonly variant: string;
  readonly seed: number;
  readonly task: string;
  /** Number of rows scored. */
  readonly rows: number;
};

/** A point of a learning curve: the logged loss, or the main score on validation. */
export type CurveRow = {
  readonly variant: string;
  readonly seed: number;
  readonly task: string;
  readonly measure: "loss" | MainMeasure["measure"];
  readonly step: number;
  readonly value: number;
};

/** An experiment with the results of its runs. */
export type ExperimentResults = {
  readonly experiment: Experiment;
  readonly rows: readonly ResultRow[];
  readonly curves: readonly CurveRow[];
  /** Number of available runs and of declared runs. */
  readonly runs: { readonly present: number; readonly declared: number };
  /** Processors and executors of the runs. */
  readonly machines: readonly string[];
  /** Sorted start times and commits of the runs, as far as they were recorded. */
  readonly starts: { readonly dates: readonly string[]; readonly commits: readonly string[] };
};

/** Reads the experiment declared in `folder` and its runs from the pool. */
export async function readResults(folder: string, pool: RunPool): Promise<ExperimentResults> {
  const declared = await readJson(join(folder, "experiment.json"), "experiment");
  const experiment = readExperiment(declared);
  const rows: ResultRow[] = [];
  const curves: CurveRow[] = [];
  const machines = new Set<string>(), dates = new Set<string>(), commits = new Set<string>();
  const planned = planRuns(experiment);
  let present = 0;
  for (const { variant, seed, config } of planned) {
    if (!await pool.holds(config)) continue;
    present++;
    const record = await readRun(await pool.folderOf(config));
    machines.add(describeMachine(record.environment));
    const { started, commit } = record.environment;
    if (typeof started === "string") dates.add(started);
    if (typeof commit === "string") commits.add(commit);
    const found = listResults(record, { variant, seed, score: experiment.score });
    rows.push(...found.rows);
    curves.push(...found.curves);
  }
  return {
    experiment,
    rows,
    curves,
    runs: { present, declared: planned.length },
    machines: [...machines].sort(),
    starts: { dates: [...dates].sort(), commits: [...commits].sort() },
  };
}

/** Main scores and learning curves of all tasks of a run. */
export function listResults(
  record: RunRecord,
  { variant, seed, score }: Pick<ResultRow, "variant" | "seed"> & { readonly score: ScoreSplit },
): Pick<ExperimentResults, "rows" | "curves"> {
  return {
    rows: Object.entries(record.summary.scores).flatMap(([task, splits]) => {
      const scores = splits[score];
      return scores === undefined
        ? []
        : [{ variant, seed, task, rows: scores.rows, ...mainMeasure(scores) }];
    }),
    curves: listCurves(record).map((row) => ({ variant, seed, ...row })),
  };
}

/** Losses and validation scores of a run by step. */
function listCurves({ train, evaluations }: RunRecord): Omit<CurveRow, "variant" | "seed">[] {
  return [
    ...train.flatMap(({ step, losses }) =>
      Object.entries(losses).map((
        [task, value],
      ) => ({ task, measure: "loss", step, value } as const))
    ),
    ...evaluations.filter(({ split }) => split === "validation").flatMap(({ step, scores }) =>
      Object.entries(scores).map(([task, score]) => ({ task, step, ...mainMeasure(score) }))
    ),
  ];
}

function describeMachine(environment: Readonly<Record<string, unknown>>): string {
  const { cpu, executor, threads } = environment;
  const { model = "unknown" } = typeof cpu === "object" && cpu !== null && "model" in cpu
    ? cpu
    : {};
  return `${String(model)}, ${String(executor)}, ${formatThreads(Number(threads))}`;
}
