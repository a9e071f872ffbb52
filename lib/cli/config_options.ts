/**
 * Options that describe the configuration of a run, shared by the tasks that need one before training.
 * @module
 */
import { dirname } from "node:path";
import { resolveDataPaths } from "@/data/file_source.ts";
import type { RunConfig } from "@/config/config.ts";
import { readJsonWithComments } from "@/system/json_files.ts";
import { PRESETS } from "@/config/presets.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import type { Options, OptionValues } from "./arguments.ts";

/** Options for the model, the data and all other configuration keys. */
export const CONFIG_OPTIONS = {
  preset: {
    type: "string",
    value: "NAME",
    byDefault: "the preset in --config, else quickstart",
    help: `preset configuration: ${Object.keys(PRESETS).join(", ")}`,
  },
  config: {
    type: "string",
    value: "FILE",
    help: "JSON file with configuration keys; it may have comments",
  },
  set: {
    type: "string",
    value: "KEY=VALUE",
    multiple: true,
    help: "sets one configuration key, such as training.maxSteps=100",
  },
  model: {
    type: "string",
    value: "DIR|HUB_NAME",
    help:
      "pretrained encoder (model.source); weights stored in float16 or bfloat16 are read as float32",
  },
  data: { type: "string", value: "DIR", help: "folder of the data sets (data.dir)" },
} as const satisfies Options;

/** Resolves the configuration that the options describe. */
export async function readConfigOptions(
  { preset, config, set, model, data, precision }: OptionValues<typeof CONFIG_OPTIONS> & {
    readonly precision?: string | undefined;
  },
): Promise<RunConfig> {
  const file = config === undefined ? {} : await readConfigFile(config);
  return resolveConfig({ preset, file, set, shortcuts: { model, data, precision } });
}

/** Reads a configuration file. It may have comments; paths of data files in it start from its folder. */
async function readConfigFile(path: string): Promise<unknown> {
  return resolveDataPaths(await readJsonWithComments(path, "configuration"), dirname(path));
}
