/**
 * Plans the reproduction of a finished run: its original configuration, adapted to this machine.
 * @module
 */
import { join } from "node:path";
import type { RunConfig } from "@/config/config.ts";
import { EXECUTORS } from "@/engine/options.ts";
import { isObject } from "@/schema.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";
import { isFile, isFolder, readJson } from "@/system/files.ts";
import { readRun } from "@/report/readers/read_run.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { isScheduleChangeNote } from "@/train/resume.ts";
import type { RunEnvironment } from "@/train/run_environment.ts";

/** Locations on this machine that replace those of the run. */
type Locations = {
  /** Replaces `model.source`. */
  readonly model?: string | undefined;
  /** Replaces `data.dir`. */
  readonly data?: string | undefined;
};

/** A run to reproduce. */
type PlannedReproduction = {
  readonly config: RunConfig;
  /** One sentence per deviation from the recorded configuration. */
  readonly notes: readonly string[];
};

/** Reads the run in `dir`. Throws if it is not finished or its data are not on this machine. */
export async function planReproduction(
  dir: string,
  { model, data }: Locations = {},
): Promise<PlannedReproduction> {
  const recorded = await readJson(join(dir, "config.json"), "run to reproduce");
  for (const name of ["environment.json", "metrics.jsonl", "summary.json"]) {
    if (await isFile(join(dir, name))) continue;
    throw new Deno.errors.NotFound(
      `Cannot reproduce ${dir}: it has no ${name} to ` +
        "compare with",
    );
  }
  const { environment, summary } = await readRun(dir); // also validates all files
  const config = resolveConfig({ file: recorded, shortcuts: { model, data } });
  await checkData(config.data.dir);
  return {
    config: keepExecutor(config, environment),
    notes: [
      ...describeMissingKeys(recorded, config),
      ...summary.notes.filter(isScheduleChangeNote),
    ],
  };
}

/** Throws if the data folder does not exist, before anything is loaded. */
async function checkData(dir: string | null): Promise<void> {
  if (dir === null || dir === SAMPLE_DIR || await isFolder(dir)) return;
  throw new Deno.errors.NotFound(
    `Cannot reproduce the run: its data.dir ${dir} does not exist on this machine; ` +
      "pass --data DIR",
  );
}

/** The configuration with the executor and number of threads of the run, if available on this machine. */
function keepExecutor(
  config: RunConfig,
  { executor: name, threads }: RunEnvironment,
): RunConfig {
  const known = EXECUTORS.find((each) => each === name);
  const asked = typeof threads === "number" && threads <= navigator.hardwareConcurrency
    ? threads
    : null;
  return {
    ...config,
    // native needs a compiler, which this machine may lack; auto chooses native if there is one
    executor: config.executor === "auto" && known === "onnx" ? known : config.executor,
    native: { ...config.native, threads: config.native.threads ?? asked },
  };
}

/** Notes which keys the recorded configuration lacks. */
function describeMissingKeys(recorded: unknown, config: RunConfig): readonly string[] {
  const missing = listMissing(recorded, config);
  if (missing.length === 0) return [];
  return [
    `config.json was written by an older version: ${missing.join(", ")} ${
      missing.length > 1 ? "are" : "is"
    } taken from preset ${config.preset}`,
  ];
}

/** Dotted keys of `whole` that `part` lacks; a missing object is listed without its keys. */
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
