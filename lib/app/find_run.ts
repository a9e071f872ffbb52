/**
 * Finds the runs that the demo page can show.
 * @module
 */
import { basename, join, resolve } from "node:path";
import { isFile } from "@/system/files.ts";
import { SHIPPED_RUN } from "@/model/find_model_folder.ts";
import type { ListedRun } from "./run_cache.ts";

/** Folders of the finished runs under `folder` that contain a model, newest first. */
export async function listRuns(folder: string): Promise<readonly string[]> {
  const found: { readonly dir: string; readonly time: number }[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const dir = join(folder, name), summary = join(dir, "summary.json");
      if (!isDirectory || !await isFile(join(dir, "model", "heads.json"))) continue;
      if (!await isFile(summary)) continue; // the run has not finished
      found.push({ dir, time: (await Deno.stat(summary)).mtime?.getTime() ?? 0 });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort((a, b) => b.time - a.time || (a.dir < b.dir ? -1 : 1)).map(({ dir }) => dir);
}

/**
 * Runs that the page can switch between, each with a unique name: first the run `shown`, then the runs under
 * `outputs`, then the run that ships with the repository.
 */
export async function listShownRuns(
  shown: string,
  outputs = "outputs",
  shipped = SHIPPED_RUN,
): Promise<readonly ListedRun[]> {
  const folders = [shown, ...await listRuns(outputs)];
  if (await isFile(join(shipped, "model", "heads.json"))) folders.push(shipped);
  const places = folders.map((folder) => resolve(folder));
  const own = folders.filter((_, i) => places.indexOf(places[i] ?? "") === i);
  const names = own.map((folder) => basename(resolve(folder)));
  return own.map((folder, i) => {
    const name = names[i] ?? folder;
    return { name: names.indexOf(name) === i ? name : folder, folder };
  });
}

/** Model that is used if the user names none, and the reason for the choice. */
type DefaultModel = { readonly source: string; readonly reason: string };

/**
 * Default model of the tasks and of the demo page: the newest finished run under `outputs`, else the model that
 * ships with the repository; null if there is neither.
 */
export async function findDefaultModel(
  outputs = "outputs",
  shipped = SHIPPED_RUN,
): Promise<DefaultModel | null> {
  const runs = await listRuns(outputs);
  const own = runs.find((dir) => resolve(dir) !== resolve(shipped)); // the shipped run may look newest after a checkout
  if (own !== undefined) return { source: own, reason: "the newest run" };
  return await isFile(join(shipped, "model", "heads.json"))
    ? { source: shipped, reason: "the model that ships with the repository" }
    : null;
}
