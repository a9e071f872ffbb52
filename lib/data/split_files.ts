/**
 * Which parquet files of a data set are which split: the rule of Python's `datasets`, for local folders and
 * repositories of the Hub alike, as a pure function over paths.
 *
 * Rule: https://github.com/huggingface/datasets/blob/5.2.0/src/datasets/data_files.py, the first that finds
 * files: `configs` in README.md; `data/<split>-00000-of-00001.parquet`; folders named for a split; files named
 * for a split; else all files are train. Two things differ. A file is read once, also where two patterns find
 * it. A split of another name is found by the same patterns with that name.
 * @module
 */

import { isSplitName, readConfigs, type SplitPatterns } from "@/data/dataset_card.ts";

/** What a data set's folder or repository holds. */
export type DatasetFiles = {
  /** Names the place in errors. */
  readonly where: string;
  /** Paths of all files from its root, with `/` between folders. */
  readonly paths: readonly string[];
  /** Text of `README.md`; null where there is none. */
  readonly card: string | null;
  /** Text of `.huggingface.yaml`, which goes before the card; null where there is none. */
  readonly settings: string | null;
};

/** Files by split. */
export type Splits = ReadonlyMap<string, readonly string[]>;

/** Words in names of folders and files, by the split that they mean, in the order of `datasets`. */
const KEYWORDS = {
  train: ["train", "training"],
  validation: ["validation", "valid", "dev", "val"],
  test: ["test", "testing", "eval", "evaluation"],
} as const;

/** Characters that may stand beside a keyword. */
const BESIDE = "[-._ 0-9]";

const inFolderName = (word: string) => [
  `**/${word}/**`,
  `**/${word}${BESIDE}*/**`,
  `**/*${BESIDE}${word}/**`,
  `**/*${BESIDE}${word}${BESIDE}*/**`,
];
const inFileName = (word: string) => [`**/${word}${BESIDE}*`, `**/*${BESIDE}${word}${BESIDE}*`];

/** The splits of a data set. */
export function findSplits({ where, paths, card, settings }: DatasetFiles): Splits {
  const tables = paths.filter((path) => path.endsWith(".parquet"));
  const config = readConfigs({ where, card, settings });
  const root = config?.folder ?? "";
  const inside = tables.flatMap((path) => path.startsWith(root) ? [path.slice(root.length)] : []);
  const splits = config?.patterns
    ? matchConfig(config.patterns, inside, where)
    : applyDefaults(inside);
  return new Map([...splits].map(([split, found]) => [split, found.map((path) => root + path)]));
}

/**
 * The files of one split in order, checked for missing shards; empty where there is no such split. A split of
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
  const tables = paths.filter((path) => path.endsWith(".parquet"));
  for (const patterns of [inFolderName(word), inFileName(word)]) {
    const found = match(patterns, tables);
    if (found.length > 0) return found;
  }
  return [];
}

/** The splits that there are and how files must be named, as sentences for an error. */
export function describeSplits(files: DatasetFiles, wanted: string): string {
  const named = [...findSplits(files)].map(([split, paths]) => `${split} (${listSome(paths)})`);
  const found = named.length > 0
    ? `It has ${named.join(", ")}`
    : `There is no parquet file${files.paths.length > 0 ? ` among ${listSome(files.paths)}` : ""}`;
  return readConfigs(files) === null
    ? `${found}. Name the file or its folder for the split: ${wanted}.parquet, ` +
      `${wanted}-00000-of-00002.parquet, ${wanted}/0.parquet`
    : `${found}, by the configs in its README.md`;
}

/** The first few of `paths`, with how many there are. */
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

/** `data/<split>-00000-of-00001.parquet` as `push_to_hub` writes them; null where there are none. */
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

/** Paths that match the patterns, each once: in the patterns' order, sorted within a pattern. */
function match(patterns: readonly string[], paths: readonly string[], where?: string): string[] {
  const sorted = [...paths].sort();
  const found = new Set<string>();
  for (const given of patterns) {
    const pattern = given.replace(/^(\.\/)+/, "");
    const regex = translateGlob(pattern, where);
    const matched = sorted.filter((path) => regex.test(path) && !isPassedOver(path, pattern));
    if (matched.length === 0 && where !== undefined && !/[*?[]/.test(pattern)) {
      throw new RangeError(
        `Cannot read ${where}: its README.md names ${pattern}, and there is no such parquet file`,
      );
    }
    for (const path of matched) found.add(path);
  }
  return [...found];
}

/** True if a path has hidden parts or `__special__` folders that the pattern does not name. */
function isPassedOver(path: string, pattern: string): boolean {
  const count = (text: string, start: string) =>
    text.split("/").filter((part) => part.startsWith(start) && !/^\.+$/.test(part)).length;
  const folder = (text: string) => text.slice(0, text.lastIndexOf("/") + 1);
  return count(path, ".") !== count(pattern, ".") ||
    count(folder(path), "__") !== count(folder(pattern), "__");
}

/**
 * The regular expression of a glob pattern, as fsspec 2023.12 and later read it: `*` and `?` stay within a
 * name, `**` as a whole name is any number of folders, `[…]` and `[!…]` are one character.
 */
function translateGlob(pattern: string, where = "data set"): RegExp {
  const parts = pattern.split("/");
  const translated = parts.map((part, index) => {
    const last = index === parts.length - 1;
    if (part === "**") return last ? ".*" : "(?:.+/)?";
    if (part.includes("**")) {
      throw new RangeError(
        `Cannot read ${where}: "**" in the pattern "${pattern}" of its README.md must be a whole name, as in **/*.parquet`,
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

/** What a shard's name says of its place: `train-00002-of-00005.parquet` is 2 of 5. */
const SHARD = /^(.*[-_. ])(\d+)[-_]of[-_](\d+)(?=\D[^/]*$)/;

/** Refuses files of which shards are missing; shards are counted from 0, or from 1 as some tools do. */
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
    for (let index = first; index < first + total && missing.length <= MOST_NAMED; index++) {
      if (!there.has(index)) missing.push(index);
    }
    if (missing.length === 0) continue;
    const more = missing.length > MOST_NAMED ? ", …" : "";
    throw new RangeError(
      `Cannot read ${where}: of ${set}, N from ${first} to ${
        first + total - 1
      }, these are missing: ${missing.slice(0, MOST_NAMED).join(", ")}${more}. It has ${
        listSome(paths)
      }`,
    );
  }
}

/** How many missing shards an error names. */
const MOST_NAMED = 5;
