/**
 * The runs that the demo page can show.
 * @module
 */
import { basename, join, resolve } from "node:path";
import { isFile } from "@/files.ts";
import { SHIPPED_RUN } from "@/model/find_model_folder.ts";
import type { ListedRun } from "./run_library.ts";

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
 * The runs that the page can switch between, each with a name of its own: the one that is shown first, then those
 * under `outputs`, then the one that ships with the repository.
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

/** A model that is taken where none is named, and why. */
export type DefaultModel = { readonly source: string; readonly reason: string };

/**
 * The model that tasks and the demo page take where none is named: the newest finished run under
 * `outputs`, else the one that ships with the repository; null where there is neither.
 */
export async function findDefaultModel(
  outputs = "outputs",
  shipped = SHIPPED_RUN,
): Promise<DefaultModel | null> {
  const runs = await listRuns(outputs);
  const own = runs.find((dir) => resolve(dir) !== resolve(shipped)); // whenever that was checked out
  if (own !== undefined) return { source: own, reason: "the newest run" };
  return await isFile(join(shipped, "model", "heads.json"))
    ? { source: shipped, reason: "the model that ships with the repository" }
    : null;
}
