/**
 * The cache folder, for files that can be recreated: `.cache/` of the project, or the folder in the environment variable
 * STX_CACHE. An empty STX_CACHE disables the cache.
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const projectFolder = (name: string) =>
  fileURLToPath(new URL(`../../.cache/${name}`, import.meta.url));

/** A folder in the cache; null if STX_CACHE is empty. */
export function findCacheFolder(name: string): string | null {
  const set = Deno.env.get("STX_CACHE");
  if (set === "") return null;
  return set === undefined ? projectFolder(name) : join(set, name);
}

/** A folder in the cache for files that are needed in any case: the project's own if the cache is disabled. */
export function scratchFolder(name: string): string {
  return findCacheFolder(name) ?? projectFolder(name);
}
