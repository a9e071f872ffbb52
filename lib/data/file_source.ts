/**
 * Data files of any place as a data source: a data set's name is then the path of a file, a folder or a glob pattern.
 * @module
 */

import { isAbsolute, join, normalize, resolve } from "node:path";
import { isFile, isFolder } from "@/system/files.ts";
import type { DataSource } from "@/data/source.ts";
import { listDatasetFiles } from "@/data/local.ts";
import { describeSplits, findSplitFiles, translateGlob } from "@/data/split_files.ts";
import { formatOfName, listExtensions } from "@/data/tables/table.ts";

/**
 * True if the name of a data set or of a split is a path: it ends with the extension of a data file, contains `*`, `?` or
 * `[`, or begins with `/`, `./`, `../` or a drive.
 */
export function isDataPath(name: string): boolean {
  return formatOfName(name) !== null || /[*?[]/.test(name) || isAbsolute(name) ||
    /^\.{1,2}[/\\]|^[A-Za-z]:[/\\]/.test(name);
}

/**
 * Adds paths to a data source: names of data sets that are paths ({@link isDataPath}) are read from files, all others from
 * `source`. All rows of a file or a glob pattern are of split `train`; the files of a folder are assigned to splits as in
 * `split_files.ts`.
 *
 * @param base Folder that relative paths start from.
 */
export function withDataFiles(source: DataSource, base: string): DataSource {
  const locate = (path: string) => isAbsolute(path) ? path : normalize(join(base, path));
  return {
    name: source.name,
    describe: source.describe,
    files: async (dataset, split) => {
      if (!isDataPath(dataset)) return await source.files(dataset, split);
      const path = locate(dataset);
      if (await isFolder(path)) {
        const found = findSplitFiles(await listDatasetFiles(path), split);
        return found.map((file) => join(path, file));
      }
      return split === "train" ? await findFiles(path) : [];
    },
    describeSplits: async (dataset, wanted) => {
      if (!isDataPath(dataset)) return await source.describeSplits(dataset, wanted);
      const path = locate(dataset);
      if (await isFolder(path)) return describeSplits(await listDatasetFiles(path), wanted);
      return `All rows of ${path} are of split train; name another file or null for this split`;
    },
  };
}

/** The files that a path or a glob pattern names, sorted. */
export async function findFiles(path: string): Promise<readonly string[]> {
  if (await isFile(path)) return [path];
  if (!/[*?[]/.test(path)) {
    throw new Deno.errors.NotFound(`Cannot read ${path}: there is no such file`);
  }
  const parts = path.split(/[/\\]/);
  const fixed = parts.slice(0, parts.findIndex((part) => /[*?[]/.test(part))).join("/");
  const root = fixed === "" ? (path.startsWith("/") ? "/" : ".") : fixed;
  if (!await isFolder(root)) {
    throw new Deno.errors.NotFound(`Cannot read ${path}: there is no folder ${root}`);
  }
  const pattern = path.slice(fixed === "" ? 0 : fixed.length + 1);
  const regex = translateGlob(pattern);
  const { paths } = await listDatasetFiles(root);
  const found = paths.filter((file) => regex.test(file)).sort();
  if (found.length === 0) {
    throw new Deno.errors.NotFound(
      `Cannot read ${path}: no data file matches (${listExtensions()}) in ${root}`,
    );
  }
  return found.map((file) => join(root, file));
}

/** Name of a data set for display; a path is reduced to its last folder, since the rest may be private. */
export function showDataset(dataset: string): string {
  const isPath = /^(?:[/\\~]|\.{1,2}(?:[/\\]|$)|[A-Za-z]:)|\\|[/\\]\.\.?(?:[/\\]|$)/.test(dataset);
  return isPath ? dataset.split(/[/\\]/).findLast((part) => part !== "") ?? dataset : dataset;
}

/**
 * Resolves the paths of data files in a configuration that was read from a file: relative ones start from its folder.
 * Other content is returned unchanged, for the configuration's own checks.
 */
export function resolveDataPaths(file: unknown, folder: string): unknown {
  if (!isObject(file) || !Array.isArray(file.tasks)) return file;
  if (isObject(file.data) && typeof file.data.dir === "string") return file; // paths start from data.dir
  const move = (name: unknown) =>
    typeof name === "string" && isDataPath(name) ? resolve(folder, name) : name;
  return {
    ...file,
    tasks: file.tasks.map((task: unknown) => {
      if (!isObject(task)) return task;
      const { dataset, split, alsoTest } = task;
      return {
        ...task,
        ...(dataset !== undefined && { dataset: move(dataset) }),
        ...(isObject(split) && {
          split: {
            ...split,
            ...(split.validation !== undefined && { validation: move(split.validation) }),
            ...(split.test !== undefined && { test: move(split.test) }),
          },
        }),
        ...(Array.isArray(alsoTest) && { alsoTest: alsoTest.map(move) }),
      };
    }),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
