/**
 * What `environment.json` says of a run that was taken up again: where it began, and what was different
 * each time that it went on.
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { RunConfig } from "@/config.ts";
import { isObject } from "@/config_rules.ts";
import { currentEngine } from "@/engine/engine.ts";
import { describeEnvironment, describeStart } from "@/environment.ts";
import { isFile, readJson } from "@/files.ts";
import { isHubName } from "@/model/find_model_folder.ts";
import type { RunFolder } from "@/train/run_folder.ts";

/** The content of `environment.json`. */
export type RunEnvironment = Readonly<Record<string, unknown>>;

/** Where the pretrained model of a run was found: key `modelOrigin`. */
export type ModelOrigin = "hub" | "folder";

/** A time that a run was taken up again. */
export type ResumedAt = {
  /** Steps done before. */
  readonly step: number;
  /** By key: what differed from where it began. */
  readonly changed: RunEnvironment;
};

/** The environment of a run's beginning, `begun`, with one more time in its list `resumed`. */
export function addResumed(
  begun: RunEnvironment,
  { step, now }: { readonly step: number; readonly now: RunEnvironment },
): RunEnvironment {
  const { resumed, ...first } = begun;
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

/** Where the model that a run begins with comes from, for the model card; null: its weights are random. */
async function findModelOrigin(source: string | null): Promise<ModelOrigin | null> {
  if (source === null) return null;
  return await isHubName(source) ? "hub" : "folder";
}

/** Writes where, when and from what the run is made; `resumedAt` is the step it resumes at, null: it begins. */
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
  const begun = resumedAt !== null && await isFile(path)
    ? await readJson(path, "environment")
    : null;
  await folder.writeJson(
    name,
    resumedAt === null || !isObject(begun) ? now : addResumed(begun, { step: resumedAt, now }),
  );
}

/** The machine, the software, and the engine that is open; empty where TensorFlow.js computes by itself. */
export function describeEngine(): RunEnvironment {
  const engine = currentEngine();
  return engine === null ? {} : describeEnvironment(engine.device, engine);
}
