/**
 * How a finished run is to be made again: its configuration as it was, on this machine.
 * @module
 */
import { join } from "node:path";
import { EXECUTORS, type RunConfig } from "@/config.ts";
import { isObject } from "@/config_rules.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";
import { isFile, isFolder, readJson } from "@/files.ts";
import { readRun } from "@/report/read_run.ts";
import { resolveConfig } from "@/resolve_config.ts";
import { isScheduleChangeNote } from "@/train/resume.ts";
import type { RunEnvironment } from "@/train/run_environment.ts";

/** What of a run lies elsewhere on this machine. */
export type Whereabouts = {
  /** In place of `model.source`. */
  readonly model?: string | undefined;
  /** In place of `data.dir`. */
  readonly data?: string | undefined;
};

/** A run to be made again. */
export type PlannedReproduction = {
  readonly config: RunConfig;
  /** What of the configuration is not as recorded, a sentence each. */
  readonly notes: readonly string[];
};

/** Reads the run in `dir`, checks that it is finished and that its data are here. */
export async function planReproduction(
  dir: string,
  { model, data }: Whereabouts = {},
): Promise<PlannedReproduction> {
  const recorded = await readJson(join(dir, "config.json"), "run to reproduce");
  for (const name of ["environment.json", "metrics.jsonl", "summary.json"]) {
    if (await isFile(join(dir, name))) continue;
    throw new Deno.errors.NotFound(
      `Cannot reproduce run as ${dir} must hold ${name}: it is missing, so there is nothing to ` +
        "compare with",
    );
  }
  const { environment, summary } = await readRun(dir); // which checks all files
  const config = resolveConfig({ file: recorded, shortcuts: { model, data } });
  await checkData(config.data.dir);
  return {
    config: keepMachinery(config, environment),
    notes: [...describeFilled(recorded, config), ...summary.notes.filter(isScheduleChangeNote)],
  };
}

/** Refuses a folder of data that is not there, before anything is loaded. */
async function checkData(dir: string | null): Promise<void> {
  if (dir === null || dir === SAMPLE_DIR || await isFolder(dir)) return;
  throw new Deno.errors.NotFound(
    `Cannot reproduce run as its data.dir must be a folder on this machine: there is no ${dir}; ` +
      "give --data DIR",
  );
}

/** The configuration with the executor and threads that it was run by, as far as they are to be had. */
function keepMachinery(
  config: RunConfig,
  { executor: name, threads }: RunEnvironment,
): RunConfig {
  const known = EXECUTORS.find((each) => each === name);
  const asked = typeof threads === "number" && threads <= navigator.hardwareConcurrency
    ? threads
    : null;
  return {
    ...config,
    // native needs a compiler, which another machine may lack: auto takes it where there is one
    executor: config.executor === "auto" && known === "onnx" ? known : config.executor,
    native: { ...config.native, threads: config.native.threads ?? asked },
  };
}

/** Says which keys the configuration did not have when the run was made. */
function describeFilled(recorded: unknown, config: RunConfig): readonly string[] {
  const missing = listMissing(recorded, config);
  if (missing.length === 0) return [];
  return [
    `config.json is of older code: ${missing.join(", ")} ${
      missing.length > 1 ? "are" : "is"
    } as in preset ${config.preset} today`,
  ];
}

/** Dotted keys of `whole` that `part` lacks, the outermost alone. */
function listMissing(part: unknown, whole: unknown, path: readonly string[] = []): string[] {
  if (!isObject(whole)) return [];
  if (!isObject(part)) return path.length === 0 ? [] : [path.join(".")];
  return Object.entries(whole).flatMap(([key, value]) =>
    part[key] === undefined
      ? [[...path, key].join(".")]
      : isObject(value)
      ? listMissing(part[key], value, [...path, key])
      : []
  );
}
