/**
 * The pool of finished runs that experiments share: a run is found by what it was configured to be, so
 * that one baseline serves every experiment that has it.
 *
 * A run's folder is `<preset>-<digest>-seed<seed>/` and holds its small files alone: `config.json`,
 * `environment.json`, `metrics.jsonl` and `summary.json`. Runs are found by their `config.json` and not by
 * the folder's name, so that a key that configurations did not have yet is filled in with its default.
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import type { RunConfig } from "@/config.ts";
import { isFile, isFolder, readBytes, readJson, writeFileAtomic } from "@/files.ts";
import { isObject } from "@/config_rules.ts";
import { resolveConfig } from "@/resolve_config.ts";

/** Files that are kept of a run; the last one written tells that it is whole. */
const KEPT = ["config.json", "environment.json", "metrics.jsonl", "summary.json"];

/**
 * What a run is called: equal names, equal training. Where data, model and libraries lie on this machine
 * does not count, nor does whether the test set was scored.
 */
export function nameRun(config: RunConfig): string {
  const { seed, preset, data, model, native: _native, tensorflow: _tensorflow, ...rest } = config;
  const { dir, scoreTest: _scoreTest, ...rows } = data;
  const { source, ...shape } = model;
  const content = {
    ...rest,
    data: { ...rows, sample: dir === "sample" },
    model: { ...shape, source: source === null ? null : basename(source) },
  };
  const digest = createHash("sha256").update(JSON.stringify(sortKeys(content))).digest("hex");
  return `${preset}-${digest.slice(0, 8)}-seed${seed}`;
}

/** The same value with the keys of its objects in order. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortKeys(value[key])]));
}

/** The pool in a folder. */
export type RunPool = {
  /** The folder of a run that is there, else the one that it will get. */
  folderOf(config: RunConfig): Promise<string>;
  /** Whether the run is finished, with all scores that its configuration asks for. */
  holds(config: RunConfig): Promise<boolean>;
  /** Takes the small files of the finished run in `dir`. */
  take(config: RunConfig, dir: string): Promise<void>;
};

/** Opens the pool in `folder`, which need not be there yet. */
export function openRunPool(folder: string): RunPool {
  const read = new Map<string, PooledRun>(); // by folder; a finished run changes by take() alone
  const find = async (config: RunConfig) => {
    await readNewInto(read, folder);
    const name = nameRun(config);
    return [...read.values()].find((run) => run.name === name);
  };
  const folderOf = async (config: RunConfig) =>
    (await find(config))?.dir ?? join(folder, nameRun(config));
  return {
    folderOf,
    async holds(config) {
      const found = await find(config);
      return found !== undefined && (found.config.data.scoreTest || !config.data.scoreTest);
    },
    async take(config, dir) {
      const target = await folderOf(config);
      for (const name of KEPT) {
        const bytes = await readBytes(join(dir, name), "file of a run");
        await writeFileAtomic(join(target, name), bytes);
      }
      read.delete(target);
    },
  };
}

/** A finished run of a pool. */
type PooledRun = {
  readonly dir: string;
  readonly config: RunConfig;
  /** What its configuration is called today. */
  readonly name: string;
};

/** Adds the finished runs of a folder that `read` does not have yet. */
async function readNewInto(read: Map<string, PooledRun>, folder: string): Promise<void> {
  if (!await isFolder(folder)) return;
  for await (const entry of Deno.readDir(folder)) {
    const dir = join(folder, entry.name);
    if (read.has(dir) || !await isFile(join(dir, "summary.json"))) continue;
    const config = resolveConfig({ file: await readJson(join(dir, "config.json"), "run") });
    read.set(dir, { dir, config, name: nameRun(config) });
  }
}
