/**
 * Writes the report of an experiment beside its declaration. The same files give the same bytes.
 * @module
 */
import { join } from "node:path";
import { compareVariants } from "@/experiment/compare_variants.ts";
import { composeExperimentReport } from "@/experiment/compose_report.ts";
import { readResults } from "@/experiment/results.ts";
import type { RunPool } from "@/experiment/run_pool.ts";
import { writeFileAtomic } from "@/files.ts";
import { renderPage } from "@/report/html.ts";

/** Writes `results.json`, `report.md`, `report.html` and `figures/` into the experiment's folder. */
export async function writeExperimentReport(folder: string, pool: RunPool): Promise<void> {
  const results = await readResults(folder, pool);
  const { experiment: { title, variants, reference }, rows, runs } = results;
  const report = composeExperimentReport(results);
  const names = variants.map(({ name }) => name);
  const summaries = compareVariants(rows, { variants: names, reference });
  const files: [path: string, content: string | Uint8Array][] = [
    ["results.json", JSON.stringify({ runs, summaries, rows }, null, 1) + "\n"],
    ["report.md", report.markdown],
    ["report.html", renderPage(report, { title })],
    ...[...report.figures].flatMap(([path, figure]): [string, string | Uint8Array][] => [
      [path, figure.png()],
      [path.replace(/\.png$/, ".svg"), figure.svg],
    ]),
  ];
  for (const [path, content] of files) await writeFileAtomic(join(folder, path), content);
}
