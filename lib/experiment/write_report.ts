/**
 * Writes the report of an experiment beside its declaration. The same inputs always give the same bytes.
 * @module
 */
import { join } from "node:path";
import { compareResults } from "@/experiment/compare_variants.ts";
import { composeExperimentReport } from "@/experiment/compose_report.ts";
import { readResults } from "@/experiment/results.ts";
import type { RunPool } from "@/experiment/run_pool.ts";
import { writeFileAtomic } from "@/system/files.ts";
import { writeReportFiles } from "@/report/write_report.ts";

/**
 * Writes `results.json`, `report.md`, `report.html` and `figures/` into the folder of the experiment, if at least
 * one of its runs is available. Returns the number of available runs.
 */
export async function writeExperimentReport(folder: string, pool: RunPool): Promise<number> {
  const results = await readResults(folder, pool);
  if (results.runs.present === 0) return 0;
  const { experiment: { title }, rows, runs } = results;
  const summaries = compareResults(results);
  const content = JSON.stringify({ runs, summaries, rows }, null, 1) + "\n";
  await writeFileAtomic(join(folder, "results.json"), content);
  await writeReportFiles(folder, composeExperimentReport(results, summaries), { title });
  return runs.present;
}
