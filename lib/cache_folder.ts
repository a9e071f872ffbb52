/**
 * Where the project keeps what it can make again: `.cache/` of the project, or the folder that the
 * environment variable STX_CACHE names; an empty STX_CACHE says that nothing is to be kept.
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const projectFolder = (name: string) =>
  fileURLToPath(new URL(`../.cache/${name}`, import.meta.url));

/** A folder of the cache; null where STX_CACHE is empty. */
export function findCacheFolder(name: string): string | null {
  const set = Deno.env.get("STX_CACHE");
  if (set === "") return null;
  return set === undefined ? projectFolder(name) : join(set, name);
}

/** A folder of the cache for what must lie somewhere: the project's own where nothing is to be kept. */
export function scratchFolder(name: string): string {
  return findCacheFolder(name) ?? projectFolder(name);
}
