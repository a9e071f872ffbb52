/**
 * The run that the demo page shows where none is named.
 * @module
 */
import { join } from "node:path";
import { isFile } from "@/files.ts";

/** The run under `folder` that was finished last and has its model; null where there is none. */
export async function findNewestRun(folder: string): Promise<string | null> {
  const found: { readonly dir: string; readonly time: number }[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const dir = join(folder, name);
      if (!isDirectory || !await isFile(join(dir, "model", "heads.json"))) continue;
      try {
        const { mtime } = await Deno.stat(join(dir, "summary.json"));
        found.push({ dir, time: mtime?.getTime() ?? 0 });
      } catch { /* a run that has not ended */ }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  found.sort((a, b) => b.time - a.time || (a.dir < b.dir ? -1 : 1));
  return found[0]?.dir ?? null;
}
