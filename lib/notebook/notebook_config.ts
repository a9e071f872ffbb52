/**
 * The configuration that a notebook starts from: the built-in sample, or what the environment names.
 *
 * | variable | means | without it |
 * | --- | --- | --- |
 * | `PRESET` | preset of the run | `quickstart` |
 * | `DATA_DIR` | folder of the data sets, seen from the project's folder | the preset's own |
 * | `MODEL` | checkpoint: a folder, which begins with `.` or `/`, or a name on the Hub | the preset's own |
 * | `MAX_ROWS` | rows that each split is limited to | all |
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunConfig } from "@/config.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";
import { resolveConfig } from "@/resolve_config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What a notebook lays over its preset, as `--set` takes it. */
export type NotebookSettings = {
  /** Always. */
  readonly set?: readonly string[];
  /** On the built-in sample alone, to end within seconds. */
  readonly sample?: readonly string[];
  /** Reads a variable of the environment; the process's own by default. */
  readonly read?: (name: string) => string | undefined;
};

/** The complete configuration of a notebook's run. */
export function notebookConfig(settings: NotebookSettings = {}): RunConfig {
  const { set = [], sample = [], read = Deno.env.get } = settings;
  const given = (name: string) => read(name) || undefined; // an empty one is none
  const maxRows = given("MAX_ROWS");
  const own = maxRows === undefined ? [] : [`data.maxRows=${maxRows}`];
  const resolve = (...parts: readonly (readonly string[])[]) =>
    resolveConfig({
      preset: given("PRESET"),
      set: parts.flat(),
      shortcuts: { model: fromRoot(given("MODEL")), data: fromRoot(given("DATA_DIR")) },
    });
  const config = resolve(own, set);
  return usesSample(config) ? resolve(own, sample, set) : config;
}

/** Whether a run reads the built-in sample, generated sentences which a repository may show. */
export function usesSample({ data }: Pick<RunConfig, "data">): boolean {
  return data.dir === SAMPLE_DIR;
}

/** A folder as seen from the project's, wherever the kernel was started; names are left as they are. */
function fromRoot(source: string | undefined): string | undefined {
  return source !== undefined && /^\.{1,2}(\/|$)/.test(source) ? join(ROOT, source) : source;
}
