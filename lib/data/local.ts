/**
 * A folder as a data source: `DIR/<dataset>/` contains the data files of a data set, named by split as described in
 * `split_files.ts`. A clone of a data set repository has this form, and so has the built-in sample, `data/sample/` of this
 * repository.
 * @module
 */

import { basename, join, resolve } from "node:path";
import { isFile, isFolder, readText } from "@/system/files.ts";
import type { DataSource } from "@/data/source.ts";
import { type DatasetFiles, describeSplits, findSplitFiles } from "@/data/split_files.ts";
import { didYouMean } from "@/suggest.ts";
import { fileURLToPath } from "node:url";

/** Opens the folder `dir` as a data source. */
export function openLocalSource(dir: string, name = "local"): DataSource {
  const list = async (dataset: string): Promise<DatasetFiles> => {
    if (dataset.split(/[/\\]/).some((part) => part === ".." || part === "")) {
      throw new RangeError(
        `Cannot read data set "${dataset}": its name must be that of a folder in ${dir}`,
      );
    }
    const folder = join(dir, dataset);
    if (!await isFolder(folder)) {
      throw new Deno.errors.NotFound(
        `Cannot read data set "${dataset}": there is no folder ${folder}. ${await listFolders(
          dir,
          dataset,
        )}`,
      );
    }
    return await listDatasetFiles(folder);
  };
  return {
    name,
    describe: () => `data files under ${dir}`,
    async files(dataset, split) {
      const found = findSplitFiles(await list(dataset), split);
      return found.map((path) => join(dir, dataset, path));
    },
    describeSplits: async (dataset, wanted) => describeSplits(await list(dataset), wanted),
  };
}

/** The files of a data set's folder. */
export async function listDatasetFiles(folder: string): Promise<DatasetFiles> {
  const readIfThere = async (file: string, what: string) =>
    await isFile(join(folder, file)) ? await readText(join(folder, file), what) : null;
  return {
    where: folder,
    paths: await listFiles(folder),
    card: await readIfThere("README.md", "data set card"),
    settings: await readIfThere(".huggingface.yaml", "data set settings"),
  };
}

/** Paths of all files in a folder. As in `datasets`, links to files are followed, links to folders are not. */
async function listFiles(folder: string, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (!isDirectory) paths.push(...(await isFile(path) ? [prefix + name] : []));
    else if (name !== ".git") paths.push(...await listFiles(path, `${prefix}${name}/`));
  }
  return paths;
}

/** A sentence for an error that lists the folders in `dir`. */
async function listFolders(dir: string, dataset: string): Promise<string> {
  if (!await isFolder(dir)) return `There is no folder ${dir} either`;
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(dir)) {
    if (!isFile && !name.startsWith(".")) names.push(name);
  }
  if (basename(resolve(dir)) === dataset) return `Use the parent folder of ${dir} instead`;
  return names.length === 0
    ? `${dir} contains no folders`
    : `${dir} contains ${names.sort().join(", ")}${didYouMean(dataset, names)}`;
}

/** Folder of the built-in sample. */
export const SAMPLE_FOLDER = fileURLToPath(new URL("../../data/sample", import.meta.url));

/** Opens the built-in sample as a data source. */
export function openSampleSource(): DataSource {
  return {
    ...openLocalSource(SAMPLE_FOLDER, "sample"),
    describe: () => "the built-in sample (data/sample): generated sentences, no real news",
  };
}
