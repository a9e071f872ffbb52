/** `deno task report [RUN …]`: rebuilds the reports of runs and experiments from the files in their folders. @module */

import { join, relative } from "node:path";
import { writeSpeedIndex } from "@/development/bench/speed_index.ts";
import { openRunPool } from "@/experiment/run_pool.ts";
import { writeOverview } from "@/experiment/write_overview.ts";
import { writeExperimentReport } from "@/experiment/experiment_report.ts";
import { isFile, isFolder } from "@/system/files.ts";
import { writeReport } from "@/report/write_report.ts";
import { runTask, type Task } from "./run_task.ts";

const OUTPUTS = "outputs", EXPERIMENTS = join(OUTPUTS, "experiments");

/** Finds all finished runs under `outputs/` and then all declared experiments, each sorted by name. */
async function findReported(): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(OUTPUTS)) {
      const dir = join(OUTPUTS, name);
      if (isDirectory && await isFile(join(dir, "summary.json"))) found.push(dir);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const all = [...found.sort(), ...await findExperiments()];
  if (all.length === 0) {
    throw new Deno.errors.NotFound(
      `There is no finished run under ${OUTPUTS}/: train one with deno task train`,
    );
  }
  return all;
}

/** Finds all folders under `outputs/experiments/` that declare an experiment, sorted by name. */
async function findExperiments(): Promise<string[]> {
  const found: string[] = [];
  if (!await isFolder(EXPERIMENTS)) return found;
  for await (const { name } of Deno.readDir(EXPERIMENTS)) {
    const dir = join(EXPERIMENTS, name);
    if (await isExperiment(dir)) found.push(dir);
  }
  return found.sort();
}

const isExperiment = (dir: string) => isFile(join(dir, "experiment.json"));

/** The task `report`. */
const REPORT = {
  name: "report",
  summary:
    "Rebuilds report.md, report.html and figures/ of runs and experiments from their other files.\n" +
    "Without RUN: of all runs and experiments, plus the page of benchmarks and the index outputs/index.html.",
  usage: "[RUN …]",
  options: {},
  positionals: { names: ["RUN"], min: 0, max: Infinity },
  async run({ positionals }) {
    const runs = positionals.length > 0 ? positionals : await findReported();
    const pool = openRunPool(join(EXPERIMENTS, "runs"));
    const failed: unknown[] = [];
    const done: { runs: string[]; experiments: string[] } = { runs: [], experiments: [] };
    for (const run of runs) {
      const folder = relative(OUTPUTS, run);
      try {
        if (!await isExperiment(run)) {
          await writeReport(run);
          done.runs.push(folder);
        } else if (await writeExperimentReport(run, pool) === 0) {
          console.log(
            `${run}: no report, since it has no runs yet; deno task experiment trains them`,
          );
          continue;
        } else done.experiments.push(folder);
        console.log(join(run, "report.html"));
      } catch (error) {
        failed.push(error); // thrown after the other reports are written
      }
    }
    if (positionals.length === 0) {
      const speed = await writeSpeedIndex(join(OUTPUTS, "benchmarks"));
      if (speed !== null) console.log(speed);
      const isReported = done.runs.length + done.experiments.length > 0;
      if (isReported) console.log(await writeOverview(OUTPUTS, done, pool));
    }
    if (failed.length > 0) throw failed[0];
  },
} as const satisfies Task<Record<string, never>>;

if (import.meta.main) await runTask(REPORT);
