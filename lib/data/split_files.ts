/**
 * Assigns the data files of a data set to splits by the rules of Python's `datasets`. A pure function of paths, used
 * for local folders and repositories of the Hub.
 *
 * Rules: https://github.com/huggingface/datasets/blob/5.2.0/src/datasets/data_files.py. The first rule that finds files
 * applies: `configs` in README.md; `data/<split>-00000-of-00001.parquet`; folders named after a split; files named after
 * a split; else all files are train. There are two differences: a file that matches two patterns is read once, and splits
 * with other names are found by the same patterns.
 * @module
 */

import { formatOfName } from "@/data/tables/table.ts";
import { isSplitName, readConfigs, type SplitPatterns } from "@/data/dataset_card.ts";

/** The files of a data set's folder or repository. */
export type DatasetFiles = {
  /** Name of the location, for errors. */
  readonly where: string;
  /** Paths of all files relative to the root, with `/` between folders. */
  readonly paths: readonly string[];
  /** Text of `README.md`; null if there is none. */
  readonly card: string | null;
  /** Text of `.huggingface.yaml`, which takes precedence over the card; null if there is none. */
  readonly settings: string | null;
};

/** Files by split. */
type Splits = ReadonlyMap<string, readonly string[]>;

/** Words in names of folders and files by the split that they denote, in the order of `datasets`. */
const KEYWORDS = {
  train: ["train", "training"],
  validation: ["validation", "valid", "dev", "val"],
  test: ["test", "testing", "eval", "evaluation"],
} as const;

/** Characters that may precede or follow a keyword. */
const BESIDE = "[-._ 0-9]";

const inFolderName = (word: string) => [
  `**/${word}/**`,
  `**/${word}${BESIDE}*/**`,
  `**/*${BESIDE}${word}/**`,
  `**/*${BESIDE}${word}${BESIDE}*/**`,
];
const inFileName = (word: string) => [`**/${word}${BESIDE}*`, `**/*${BESIDE}${word}${BESIDE}*`];

/** Names of JSON files that describe a data set. */
const DESCRIPTIONS = /(^|\/)(dataset_infos?|state|dataset_dict|config)\.json$/;

/** The data files among `paths`: of the most frequent format, or of parquet if there is any, since a copy may be beside it. */
function selectDataFiles(paths: readonly string[]): readonly string[] {
  const files = paths.filter((path) => formatOfName(path) !== null && !DESCRIPTIONS.test(path));
  const byFormat = Map.groupBy(files, formatOfName);
  return byFormat.get("parquet") ??
    [...byFormat.values()].reduce((most, each) => each.length > most.length ? each : most, []);
}

/** Finds the splits of a data set. */
export function findSplits({ where, paths, card, settings }: DatasetFiles): Splits {
  const tables = selectDataFiles(paths);
  const config = readConfigs({ where, card, settings });
  const root = config?.folder ?? "";
  const inside = tables.flatMap((path) => path.startsWith(root) ? [path.slice(root.length)] : []);
  const splits = config?.patterns
    ? matchConfig(config.patterns, inside, where)
    : applyDefaults(inside);
  return new Map([...splits].map(([split, found]) => [split, found.map((path) => root + path)]));
}

/**
 * Finds the files of one split in order and checks for missing shards; empty if there is no such split. A split with
 * another name, such as `heldout`, is found by the same patterns in names of folders and files.
 */
export function findSplitFiles(files: DatasetFiles, split: string): readonly string[] {
  const splits = findSplits(files);
  const own = !Object.hasOwn(KEYWORDS, split) && isSplitName(split) && readConfigs(files) === null;
  const found = splits.get(split) ?? (own ? findNamed(files.paths, split) : []);
  checkShards(found, `split ${split} of ${files.where}`);
  return found;
}

function findNamed(paths: readonly string[], word: string): readonly string[] {
  const tables = selectDataFiles(paths);
  for (const patterns of [inFolderName(word), inFileName(word)]) {
    const found = match(patterns, tables);
    if (found.length > 0) return found;
  }
  return [];
}

/** Sentences for an error: the existing splits and how files must be named. */
export function describeSplits(files: DatasetFiles, wanted: string): string {
  const named = [...findSplits(files)].map(([split, paths]) => `${split} (${listSome(paths)})`);
  const found = named.length > 0
    ? `It has ${named.join(", ")}`
    : `There is no data file${files.paths.length > 0 ? ` among ${listSome(files.paths)}` : ""}`;
  return readConfigs(files) === null
    ? `${found}. Name the file or its folder after the split: ${wanted}.parquet, ` +
      `${wanted}-00000-of-00002.parquet, ${wanted}/0.parquet`
    : `${found}, according to the configs in its README.md`;
}

/** The first few of `paths` and their total number. */
function listSome(paths: readonly string[]): string {
  const rest = paths.length - 3;
  return paths.slice(0, 3).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

function matchConfig(patterns: SplitPatterns, paths: readonly string[], where: string): Splits {
  const splits = new Map<string, readonly string[]>();
  for (const [split, wanted] of patterns) {
    const found = match(wanted, paths, where);
    if (found.length > 0) splits.set(split, found);
  }
  return splits;
}

function applyDefaults(paths: readonly string[]): Splits {
  const sharded = findSharded(paths);
  if (sharded !== null) return sharded;
  for (const name of [inFolderName, inFileName]) {
    const splits = new Map<string, readonly string[]>();
    for (const [split, words] of Object.entries(KEYWORDS)) {
      const found = match(words.flatMap(name), paths);
      if (found.length > 0) splits.set(split, found);
    }
    if (splits.size > 0) return splits;
  }
  const all = match(["**"], paths);
  return new Map(all.length > 0 ? [["train", all]] : []);
}

/** Finds `data/<split>-00000-of-00001.parquet` as written by `push_to_hub`; null if there are none. */
function findSharded(paths: readonly string[]): Splits | null {
  const splits = new Map<string, string[]>();
  for (const path of [...paths].sort()) {
    const split = /^data\/([^/.][^/]*)-\d{5}-of-\d{5}[^/]*\.[^/]*$/.exec(path)?.[1];
    if (split === undefined) continue;
    if (!isSplitName(split)) return null;
    splits.set(split, [...splits.get(split) ?? [], path]);
  }
  if (splits.size === 0) return null;
  const known = Object.keys(KEYWORDS).filter((split) => splits.has(split));
  const own = [...splits.keys()].filter((split) => !Object.hasOwn(KEYWORDS, split)).sort();
  return new Map([...known, ...own].map((split) => [split, splits.get(split) ?? []]));
}

/** Paths that match the patterns, without duplicates: in the order of the patterns, sorted within a pattern. */
function match(patterns: readonly string[], paths: readonly string[], where?: string): string[] {
  const sorted = [...paths].sort();
  const found = new Set<string>();
  for (const given of patterns) {
    const pattern = given.replace(/^(\.\/)+/, "");
    const regex = translateGlob(pattern, where);
    const matched = sorted.filter((path) => regex.test(path) && !isPassedOver(path, pattern));
    if (matched.length === 0 && where !== undefined && !/[*?[]/.test(pattern)) {
      throw new RangeError(
        `Cannot read ${where}: no data file matches ${pattern} in its README.md`,
      );
    }
    for (const path of matched) found.add(path);
  }
  return [...found];
}

/** True if a path has more hidden or `__special__` components than the pattern. */
function isPassedOver(path: string, pattern: string): boolean {
  const count = (text: string, start: string) =>
    text.split("/").filter((part) => part.startsWith(start) && !/^\.+$/.test(part)).length;
  const folder = (text: string) => text.slice(0, text.lastIndexOf("/") + 1);
  return count(path, ".") !== count(pattern, ".") ||
    count(folder(path), "__") !== count(folder(pattern), "__");
}

/**
 * Converts a glob pattern to a regular expression, as in fsspec 2023.12 and later: `*` and `?` match within a name, `**`
 * as an entire name matches any number of folders, `[…]` and `[!…]` match one character.
 */
export function translateGlob(pattern: string, where = "data set"): RegExp {
  const parts = pattern.split("/");
  const translated = parts.map((part, index) => {
    const last = index === parts.length - 1;
    if (part === "**") return last ? ".*" : "(?:.+/)?";
    if (part.includes("**")) {
      throw new RangeError(
        `Cannot read ${where}: "**" in the pattern "${pattern}" in its README.md must be an entire name, as in **/*.parquet`,
      );
    }
    const name = part.replaceAll(/\[(!?)(\]?[^\]]*)\]|\*|\?|[^]/g, (found, not, inner) => {
      if (found === "*") return "[^/]*";
      if (found === "?") return "[^/]";
      if (inner !== undefined) return `[${not ? "^" : ""}${inner.replaceAll(/[\\^[\]]/g, "\\$&")}]`;
      return found.replace(/[\\^$.*+?()[\]{}|]/, "\\$&");
    });
    return last ? name : `${name}/`;
  });
  return new RegExp(`^(?:${translated.join("")})$`, "s");
}

/** Matches the number of a shard: `train-00002-of-00005.parquet` is number 2 of 5. */
const SHARD = /^(.*[-_. ])(\d+)[-_]of[-_](\d+)(?=\D[^/]*$)/;

/** Throws if shards are missing. Shards are numbered from 0, or from 1 as some tools do. */
export function checkShards(paths: readonly string[], where: string): void {
  const sets = new Map<string, Set<number>>();
  for (const path of paths) {
    const [, name, index, total] = SHARD.exec(path) ?? [];
    if (name === undefined) continue;
    const set = `${name}N-of-${total}`;
    sets.set(set, (sets.get(set) ?? new Set()).add(Number(index)));
  }
  for (const [set, there] of sets) {
    const total = Number(/\d+$/.exec(set)?.[0]);
    const first = there.has(total) && !there.has(0) ? 1 : 0;
    const missing: number[] = [];
    for (let index = first; index < first + total && missing.length <= MAX_LISTED; index++) {
      if (!there.has(index)) missing.push(index);
    }
    if (missing.length === 0) continue;
    const more = missing.length > MAX_LISTED ? ", …" : "";
    throw new RangeError(
      `Cannot read ${where}: missing shards ${set} with N = ${
        missing.slice(0, MAX_LISTED).join(", ")
      }${more} (of ${first} to ${first + total - 1}). It has ${listSome(paths)}`,
    );
  }
}

/** Maximum number of missing shards that an error lists. */
const MAX_LISTED = 5;
