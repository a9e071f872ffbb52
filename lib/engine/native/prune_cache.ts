/**
 * Keeps the folder of compiled libraries from growing for ever.
 * @module
 */
import { join } from "node:path";
import { removeFolder } from "@/engine/native/compile_cache.ts";

/** Days that a library is kept after its last use. */
export const KEEP_DAYS = 60;

const DAY_MS = 24 * 3600 * 1000;

/** Names of entries, and of folders that something is built in or put aside in: others are somebody else's. */
const OWN_NAME = /^(?:[a-z]+-)?[0-9a-f]{40}$|^\.(?:build|damaged|try)-/;

/**
 * Removes from the folder `cache` whatever was neither made nor read within {@link KEEP_DAYS} before `nowMs`:
 * libraries, and what killed processes left half-built; gives how many. What cannot be looked at or removed
 * stays. A reading counts where the file system keeps its time (Linux does, to a day); elsewhere a library
 * that is still wanted is compiled anew.
 */
export function pruneCache(cache: string, nowMs: number): number {
  const oldest = nowMs - KEEP_DAYS * DAY_MS;
  let removed = 0;
  for (const { name, isDirectory } of Deno.readDirSync(cache)) {
    const folder = join(cache, name);
    try {
      if (!isDirectory || !OWN_NAME.test(name) || lastUseMs(folder) >= oldest) continue;
      removeFolder(folder);
      removed++;
    } catch { /* another process was quicker, or it is not ours: of no account to who compiles */ }
  }
  return removed;
}

/** When a file of `folder`, or the folder itself, was last written or read. */
function lastUseMs(folder: string): number {
  const paths = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name));
  return Math.max(
    Deno.statSync(folder).mtime?.getTime() ?? Infinity,
    ...paths.flatMap((path) => {
      const { atime, mtime } = Deno.statSync(path);
      return [atime?.getTime() ?? 0, mtime?.getTime() ?? 0];
    }),
  );
}
