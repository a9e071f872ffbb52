/**
 * The options that describe a run, common to the tasks that need one before it is trained.
 * @module
 */
import type { RunConfig } from "@/config.ts";
import { readJson } from "@/files.ts";
import { PRESETS } from "@/presets.ts";
import { resolveConfig } from "@/resolve_config.ts";
import type { Options, OptionValues } from "./arguments.ts";

/** Options that say what is trained on what. */
export const CONFIG_OPTIONS = {
  preset: {
    type: "string",
    value: "NAME",
    byDefault: "that of --config, else quickstart",
    help: `configuration to start from: ${Object.keys(PRESETS).join(", ")}`,
  },
  config: { type: "string", value: "FILE", help: "JSON file with any part of a configuration" },
  set: {
    type: "string",
    value: "KEY=VALUE",
    multiple: true,
    help: "one key of the configuration, such as training.maxSteps=100",
  },
  model: { type: "string", value: "DIR|HUB_NAME", help: "encoder to start from (model.source)" },
  data: { type: "string", value: "DIR", help: "folder of the data sets (data.dir)" },
} as const satisfies Options;

/** The configuration that the options describe. */
export async function readConfigOptions(
  { preset, config, set, model, data, precision }: OptionValues<typeof CONFIG_OPTIONS> & {
    readonly precision?: string | undefined;
  },
): Promise<RunConfig> {
  const file = config === undefined ? {} : await readJson(config, "configuration");
  return resolveConfig({ preset, file, set, shortcuts: { model, data, precision } });
}
