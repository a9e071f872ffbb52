/**
 * The configuration of a notebook's runs: the built-in sample by default, or settings from the environment.
 *
 * | variable | meaning | default |
 * | --- | --- | --- |
 * | `PRESET` | preset of the run | `quickstart` |
 * | `DATA_DIR` | folder of the data sets, relative to the project's folder | that of the preset |
 * | `MODEL` | checkpoint: a folder (beginning with `.` or `/`) or a name on the Hub | that of the preset |
 * | `MAX_ROWS` | maximum number of rows per split | no limit |
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunConfig } from "@/config/config.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";
import { resolveConfig } from "@/config/resolve_config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Changes to the preset, in the syntax of `--set`. */
type NotebookSettings = {
  /** Changes for all data. */
  readonly set?: readonly string[];
  /** Changes for the built-in sample only, which keep its runs short. */
  readonly sample?: readonly string[];
  /** Reads an environment variable; default: from this process. */
  readonly read?: (name: string) => string | undefined;
};

/** The complete configuration of a notebook's run. */
export function notebookConfig(settings: NotebookSettings = {}): RunConfig {
  const { set = [], sample = [], read = Deno.env.get } = settings;
  const given = (name: string) => read(name) || undefined; // an empty variable counts as unset
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

/** True if a run uses the built-in sample of generated sentences. */
export function usesSample({ data }: Pick<RunConfig, "data">): boolean {
  return data.dir === SAMPLE_DIR;
}

/** Resolves relative folders against the project's folder; returns names unchanged. */
function fromRoot(source: string | undefined): string | undefined {
  return source !== undefined && /^\.{1,2}(\/|$)/.test(source) ? join(ROOT, source) : source;
}
