/**
 * Pool of finished runs that experiments share. Runs are found by their configuration, so that one baseline
 * serves every experiment that includes it.
 *
 * The folder of a run is `<preset>-<digest>-seed<seed>/` and holds only small files: `config.json`,
 * `environment.json`, `metrics.jsonl` and `summary.json`. Runs are looked up by their `config.json`, not by the
 * name of the folder. Keys that are missing in older configurations are filled in with their defaults.
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import type { RunConfig } from "@/config/config.ts";
import { isFile, isFolder, readBytes, readJson, writeFileAtomic } from "@/system/files.ts";
import { isObject } from "@/schema.ts";
import { resolveConfig } from "@/config/resolve_config.ts";

/** Files of a run that the pool stores. The last one is written last and marks a complete run. */
const POOLED_FILES = ["config.json", "environment.json", "metrics.jsonl", "summary.json"];

/**
 * Name of a run. Configurations that train the same model on the same data have the same name. The locations of
 * data, model and libraries are ignored, and whether the test set is scored or baselines are computed.
 */
export function nameRun(config: RunConfig): string {
  const { seed, preset, data, model, native: _native, tensorflow: _tensorflow, ...rest } = config;
  const { dir, scoreTest: _scoreTest, baselines: _baselines, ...rows } = data;
  const { source, ...shape } = model;
  const content = {
    ...rest,
    data: { ...rows, sample: dir === "sample" },
    model: { ...shape, source: source === null ? null : basename(source) },
  };
  const digest = createHash("sha256").update(JSON.stringify(sortKeys(content))).digest("hex");
  return `${preset}-${digest.slice(0, 8)}-seed${seed}`;
}

/** The value with sorted object keys, recursively. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortKeys(value[key])]));
}

/** A pool of finished runs. */
export type RunPool = {
  /** Folder of a run; if it is not in the pool, the folder that it will be stored in. */
  folderOf(config: RunConfig): Promise<string>;
  /** True if the run is finished and has all scores that its configuration asks for. */
  holds(config: RunConfig): Promise<boolean>;
  /** Copies the small files of the finished run in `dir` into the pool. */
  take(config: RunConfig, dir: string): Promise<void>;
};

/** Opens the pool in `folder`, which need not exist yet. */
export function openRunPool(folder: string): RunPool {
  const read = new Map<string, PooledRun>(); // by folder; finished runs change only through take()
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
      for (const name of POOLED_FILES) {
        const bytes = await readBytes(join(dir, name), "file of a run");
        await writeFileAtomic(join(target, name), bytes);
      }
      read.delete(target);
    },
  };
}

/** A finished run in the pool. */
type PooledRun = {
  readonly dir: string;
  readonly config: RunConfig;
  /** Name of its configuration under the current version of the code. */
  readonly name: string;
};

/** Reads the finished runs of a folder that `read` does not contain yet, and adds them. */
async function readNewInto(read: Map<string, PooledRun>, folder: string): Promise<void> {
  if (!await isFolder(folder)) return;
  for await (const entry of Deno.readDir(folder)) {
    const dir = join(folder, entry.name);
    if (read.has(dir) || !await isFile(join(dir, "summary.json"))) continue;
    const config = resolveConfig({ file: await readJson(join(dir, "config.json"), "run") });
    read.set(dir, { dir, config, name: nameRun(config) });
  }
}
