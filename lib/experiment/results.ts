/**
 * What the runs of an experiment came to, as far as they are there: one number a row, as tables and figures
 * take them.
 * @module
 */
import { join } from "node:path";
import { type Experiment, planRuns, readExperiment } from "@/experiment/declaration.ts";
import type { RunPool } from "@/experiment/run_pool.ts";
import { readJson } from "@/files.ts";
import { readRun } from "@/report/read_run.ts";
import { type MainMeasure, mainMeasure } from "@/report/run_record.ts";

/** The main score of one task in one run. */
export type ResultRow = MainMeasure & {
  readonly variant: string;
  readonly seed: number;
  readonly task: string;
};

/** An experiment with what is known of it. */
export type ExperimentResults = {
  readonly experiment: Experiment;
  readonly rows: readonly ResultRow[];
  /** Runs that are there, and all that were declared. */
  readonly runs: { readonly present: number; readonly declared: number };
  /** Processors and executors that the runs were made on. */
  readonly machines: readonly string[];
};

/** Reads the experiment declared in `folder` and those of its runs that the pool holds. */
export async function readResults(folder: string, pool: RunPool): Promise<ExperimentResults> {
  const declared = await readJson(join(folder, "experiment.json"), "experiment");
  const experiment = readExperiment(declared);
  const rows: ResultRow[] = [];
  const machines = new Set<string>();
  const planned = planRuns(experiment);
  let present = 0;
  for (const { variant, seed, config } of planned) {
    if (!await pool.holds(config)) continue;
    present++;
    const { summary, environment } = await readRun(await pool.folderOf(config));
    machines.add(describeMachine(environment));
    for (const [task, splits] of Object.entries(summary.scores)) {
      const scores = splits[experiment.score];
      if (scores !== undefined) rows.push({ variant, seed, task, ...mainMeasure(scores) });
    }
  }
  return {
    experiment,
    rows,
    runs: { present, declared: planned.length },
    machines: [...machines].sort(),
  };
}

function describeMachine(environment: Readonly<Record<string, unknown>>): string {
  const { cpu, executor, threads } = environment;
  const { model = "unknown" } = typeof cpu === "object" && cpu !== null && "model" in cpu
    ? cpu
    : {};
  return `${String(model)}, ${String(executor)}, ${String(threads)} threads`;
}
