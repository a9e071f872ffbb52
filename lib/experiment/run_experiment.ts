/**
 * Does the runs of an experiment that are not there yet, one after the other.
 * @module
 */
import type { RunConfig } from "@/config.ts";
import type { PlannedRun } from "@/experiment/declaration.ts";
import { nameRun, type RunPool } from "@/experiment/run_pool.ts";

/** What became of a planned run. */
export type RunOutcome = PlannedRun & {
  readonly state: "present" | "done" | "failed" | "elsewhere";
  /** Why it failed. */
  readonly reason?: string;
};

/** Trains one run in a process of its own and gives the folder of what it wrote. */
export type TrainOne = (config: RunConfig, name: string) => Promise<
  | { readonly state: "done"; readonly dir: string }
  | { readonly state: "failed"; readonly reason: string }
  | { readonly state: "elsewhere" }
>;

/** How an experiment is run. */
export type RunOptions = {
  readonly pool: RunPool;
  readonly train: TrainOne;
  /** Told of each run once it is known what became of it. */
  readonly onOutcome: (outcome: RunOutcome) => Promise<void> | void;
  /** Told of each run before it begins; `left` counts it. */
  readonly onBegin: (run: PlannedRun, left: number) => void;
  /** Once aborted, no further run begins. */
  readonly signal: AbortSignal;
};

/**
 * Does the runs that the pool lacks; those of equal configuration are done once. A failed run does not
 * keep the others from being done.
 */
export async function runExperiment(
  runs: readonly PlannedRun[],
  { pool, train, onOutcome, onBegin, signal }: RunOptions,
): Promise<readonly RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  const settle = async (outcome: RunOutcome) => {
    outcomes.push(outcome);
    await onOutcome(outcome);
  };
  const missing: PlannedRun[] = [];
  for (const run of runs) {
    if (await pool.holds(run.config)) await settle({ ...run, state: "present" });
    else missing.push(run);
  }
  for (const [index, run] of missing.entries()) {
    if (signal.aborted) break;
    if (await pool.holds(run.config)) { // an equal one, or another process, has done it meanwhile
      await settle({ ...run, state: "present" });
      continue;
    }
    onBegin(run, missing.length - index);
    const trained = await train(run.config, nameRun(run.config));
    if (trained.state === "done") {
      await pool.take(run.config, trained.dir);
      await settle({ ...run, state: "done" });
    } else if (!signal.aborted) await settle({ ...run, ...trained });
  }
  return outcomes;
}
