/**
 * A folder in the Hub's layout as a source: `DIR/<dataset>/<split>*.parquet`.
 * @module
 */

import { join } from "node:path";
import { isFolder } from "@/files.ts";
import { type DataSource, orderShards } from "@/data/source.ts";

/** The source that reads from the folder `dir`. */
export function openLocalSource(dir: string, name = "local"): DataSource {
  return {
    name,
    describe: () => `parquet files under ${dir}`,
    async files(dataset, split) {
      if (dataset.split(/[/\\]/).some((part) => part === ".." || part === "")) {
        throw new RangeError(
          `Cannot read data as a data set's name must be a folder inside ${dir}: current value is "${dataset}"`,
        );
      }
      const folder = join(dir, dataset);
      if (!await isFolder(folder)) {
        throw new Deno.errors.NotFound(
          `Cannot read data set "${dataset}" as its folder must exist: nothing at ${folder} (${await listFolders(
            dir,
          )})`,
        );
      }
      const names: string[] = [];
      for await (const entry of Deno.readDir(folder)) {
        if (!entry.isDirectory && entry.name.startsWith(split) && entry.name.endsWith(".parquet")) {
          names.push(entry.name);
        }
      }
      return orderShards(names.map((name) => join(folder, name)), `${split} of ${folder}`);
    },
  };
}

/** What folders there are in `dir`, as an ending for an error. */
async function listFolders(dir: string): Promise<string> {
  if (!await isFolder(dir)) return `there is no folder ${dir}`;
  const names: string[] = [];
  for await (const entry of Deno.readDir(dir)) if (!entry.isFile) names.push(entry.name);
  return names.length === 0 ? `${dir} holds no folders` : `${dir} holds ${names.sort().join(", ")}`;
}
