/**
 * Writes the report of a run into its folder, from the folder's other files alone. The same files give
 * the same bytes.
 * @module
 */

import { join } from "node:path";
import { writeFileAtomic } from "@/files.ts";
import { renderPage } from "./html.ts";
import { composeReport } from "./markdown.ts";
import { readRun } from "./read_run.ts";

/** Writes `report.md`, `report.html` and `figures/` into `dir`; gives the paths written. */
export async function writeReport(dir: string): Promise<readonly string[]> {
  const record = await readRun(dir);
  const report = composeReport(record);
  const files: [path: string, content: string | Uint8Array][] = [];
  for (const [path, figure] of report.figures) {
    files.push([path, figure.png()], [path.replace(/\.png$/, ".svg"), figure.svg]);
  }
  files.push(["report.md", report.markdown]);
  files.push(["report.html", renderPage(report, { title: record.summary.name })]);
  for (const [path, content] of files) await writeFileAtomic(join(dir, path), content);
  return files.map(([path]) => join(dir, path));
}
