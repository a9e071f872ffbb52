/**
 * The content of `environment.json`: where a run started, and what was different each time it was resumed.
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { RunConfig } from "@/config/config.ts";
import { isObject } from "@/schema.ts";
import { currentEngine } from "@/engine/engine.ts";
import { describeEnvironment, describeStart } from "@/system/environment.ts";
import { isFile, readJson } from "@/system/files.ts";
import { isHubName } from "@/model/find_model_folder.ts";
import type { RunFolder } from "@/train/run_folder.ts";

/** The content of `environment.json`. */
export type RunEnvironment = Readonly<Record<string, unknown>>;

/** Source of a run's pretrained model, in key `modelOrigin`. */
export type ModelOrigin = "hub" | "folder";

/** An entry of the list `resumed`: one time that a run was resumed. */
type ResumedAt = {
  /** Number of steps completed before. */
  readonly step: number;
  /** The keys that differ from the start of the run, with their new values. */
  readonly changed: RunEnvironment;
};

/** Adds an entry to the list `resumed` of the environment in which a run started. */
export function addResumed(
  original: RunEnvironment,
  { step, now }: { readonly step: number; readonly now: RunEnvironment },
): RunEnvironment {
  const { resumed, ...first } = original;
  const keys = [...new Set([...Object.keys(first), ...Object.keys(now)])];
  const changed = Object.fromEntries(
    keys.filter((key) => !isDeepStrictEqual(first[key], now[key])).map((key) => [
      key,
      now[key] ?? null,
    ]),
  );
  const entry: ResumedAt = { step, changed };
  return { ...first, resumed: [...Array.isArray(resumed) ? resumed : [], entry] };
}

/** Origin of a run's pretrained model, for the model card; null if it is randomly initialized. */
async function findModelOrigin(source: string | null): Promise<ModelOrigin | null> {
  if (source === null) return null;
  return await isHubName(source) ? "hub" : "folder";
}

/**
 * Writes `environment.json`: machine, software, date, commit and command. `resumedAt` is the step at which the run
 * resumes, null for a new run.
 */
export async function writeEnvironment(
  folder: RunFolder,
  { model: { source } }: Pick<RunConfig, "model">,
  { environment, resumedAt }: {
    readonly environment: RunEnvironment;
    readonly resumedAt: number | null;
  },
): Promise<void> {
  const modelOrigin = await findModelOrigin(source);
  const now = {
    ...await describeStart(),
    ...environment,
    ...(modelOrigin !== null && { modelOrigin }),
  };
  const name = "environment.json", path = folder.path(name);
  const original = resumedAt !== null && await isFile(path)
    ? await readJson(path, "environment")
    : null;
  await folder.writeJson(
    name,
    resumedAt === null || !isObject(original)
      ? now
      : addResumed(original, { step: resumedAt, now }),
  );
}

/** Describes the machine, the software and the open engine; empty if TensorFlow.js computes without an engine. */
export function describeEngine(): RunEnvironment {
  const engine = currentEngine();
  return engine === null ? {} : describeEnvironment(engine.device, engine);
}
