/**
 * Deletes compiled libraries that have not been used for a while.
 * @module
 */
import { join } from "node:path";
import { isSystemError } from "@/engine/system.ts";
import { removeFolder } from "./compile_cache.ts";

/** Number of days for which an unused library is kept. */
export const KEEP_DAYS = 60;

const DAY_MS = 24 * 3600 * 1000;

/** Names of entries and build folders; other names are not ours to delete. */
const OWN_NAME = /^(?:[a-z]+-)?[0-9a-f]{40}$|^\.(?:build|damaged|try)-/;

/**
 * Removes the user's files in the folder `cache` that were neither written nor read within {@link KEEP_DAYS} before
 * `nowMs`: libraries, and unfinished builds of killed processes. Returns their number. Entries that cannot be inspected
 * or removed are skipped. Reads count if the file system records access times (Linux does, to a day); elsewhere a
 * library that is still in use is compiled again.
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
    } catch (error) {
      if (!isSystemError(error)) throw error; // another process was quicker, or it is not ours
    }
  }
  return removed;
}

/** The time at which a file of `folder`, or the folder itself, was last written or read. */
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
