/**
 * Writes the report of a run into its folder, from the other files of the folder. The same inputs always give
 * the same bytes. Figures of a previous report that no longer exist are removed.
 * @module
 */

import { join } from "node:path";
import { isFolder, writeFileAtomic } from "@/system/files.ts";
import { renderPage } from "./html.ts";
import { composeReport, type Report } from "./markdown.ts";
import { readRun } from "./readers/read_run.ts";

/** Writes `report.md`, `report.html` and `figures/` into `dir`. Returns the paths written. */
export async function writeReport(dir: string): Promise<readonly string[]> {
  const record = await readRun(dir);
  return await writeReportFiles(dir, composeReport(record), { title: record.summary.name });
}

/** Writes a composed report into `dir` and removes figures of a previous one. Returns the paths written. */
export async function writeReportFiles(
  dir: string,
  report: Report,
  { title }: { readonly title: string },
): Promise<readonly string[]> {
  const files: [path: string, content: string | Uint8Array][] = [];
  for (const [path, figure] of report.figures) {
    files.push([path, figure.png()], [path.replace(/\.png$/, ".svg"), figure.svg]);
  }
  files.push(["report.md", report.markdown]);
  files.push(["report.html", renderPage(report, { title })]);
  for (const [path, content] of files) await writeFileAtomic(join(dir, path), content);
  await removeStale(dir, new Set(files.map(([path]) => path)));
  return files.map(([path]) => join(dir, path));
}

/** Removes SVG and PNG files from `figures/` that are not in `kept`. */
async function removeStale(dir: string, kept: ReadonlySet<string>): Promise<void> {
  if (!await isFolder(join(dir, "figures"))) return;
  for await (const { name, isFile } of Deno.readDir(join(dir, "figures"))) {
    const path = `figures/${name}`;
    if (isFile && /\.(svg|png)$/.test(name) && !kept.has(path)) await Deno.remove(join(dir, path));
  }
}
