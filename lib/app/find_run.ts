/**
 * The runs that the demo page can show.
 * @module
 */
import { join, resolve } from "node:path";
import { isFile } from "@/files.ts";
import { SHIPPED_RUN } from "@/model/find_model_folder.ts";

/** The folders of runs under `folder` that are finished and have their model, the newest first. */
export async function listRuns(folder: string): Promise<readonly string[]> {
  const found: { readonly dir: string; readonly time: number }[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const dir = join(folder, name), summary = join(dir, "summary.json");
      if (!isDirectory || !await isFile(join(dir, "model", "heads.json"))) continue;
      if (!await isFile(summary)) continue; // a run that has not ended
      found.push({ dir, time: (await Deno.stat(summary)).mtime?.getTime() ?? 0 });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort((a, b) => b.time - a.time || (a.dir < b.dir ? -1 : 1)).map(({ dir }) => dir);
}

/**
 * The run of one's own under `folder` that was finished last and has its model; null where there is none.
 */
export async function findNewestRun(folder: string): Promise<string | null> {
  const own = (dir: string) => resolve(dir) !== SHIPPED_RUN; // its files are as old as the checkout
  return (await listRuns(folder)).find(own) ?? null;
}
