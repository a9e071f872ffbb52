/**
 * Trains the missing runs of an experiment, one after the other.
 * @module
 */
import type { RunConfig } from "@/config/config.ts";
import type { PlannedRun } from "@/experiment/declaration.ts";
import { nameRun, type RunPool } from "@/experiment/run_pool.ts";

/** Outcome of a planned run. */
export type RunOutcome = PlannedRun & {
  readonly state: "present" | "done" | "failed" | "elsewhere";
  /** Reason of a failure. */
  readonly reason?: string;
};

/** Trains one run in a process of its own and returns its folder. */
export type TrainOne = (config: RunConfig, name: string) => Promise<
  | { readonly state: "done"; readonly dir: string }
  | { readonly state: "failed"; readonly reason: string }
  | { readonly state: "elsewhere" }
>;

/** Options of {@link runExperiment}. */
export type RunOptions = {
  readonly pool: RunPool;
  readonly train: TrainOne;
  /** Called with the outcome of each run. */
  readonly onOutcome: (outcome: RunOutcome) => Promise<void> | void;
  /** Called before each run is trained. `left` is the number of remaining runs, including this one. */
  readonly onBegin: (run: PlannedRun, left: number) => void;
  /** Once aborted, no further run starts. */
  readonly signal: AbortSignal;
};

/**
 * Trains the runs that the pool lacks. Runs with the same configuration are trained once. A failed run does not
 * stop the others.
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
    if (await pool.holds(run.config)) { // trained meanwhile, by an equal run or by another process
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
