/**
 * Checkpoints: the complete state of a run, so that a resumed run continues exactly. A checkpoint has two files:
 * `step-N.safetensors` with the tensors, and `step-N.json`, a manifest with the remaining state and checksums of
 * both files. The manifest is written last. Random generators need no state, because every random number is a
 * function of the seed and the step.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { RunConfig } from "@/config/config.ts";
import {
  isFile,
  isFolder,
  readJson,
  removePartials,
  requireContent,
  writeFileAtomic,
} from "@/system/files.ts";
import { openSafetensors, type TensorToWrite, writeSafetensors } from "@/model/safetensors.ts";
import type { StreamPosition } from "@/text/batches.ts";
import type { Best } from "@/train/early_stopping.ts";
import { checkInputs, type ConfigChange, type RunInputs } from "@/train/resume.ts";
import type { TrainState } from "@/train/step.ts";
import type { TrainedParameter } from "@/train/trained_parameters.ts";

/** Sums since the last line of `metrics.jsonl`. */
export type MetricSums = {
  /** Number of steps in the sums; excludes steps that loss scaling skipped. */
  readonly steps: number;
  readonly gradientNorm: number;
  /** Sum of loss times label count, and sum of label counts, by task. */
  readonly losses: Readonly<Record<string, { readonly sum: number; readonly count: number }>>;
};

/** The state of a run without its tensors. */
export type RunState = {
  /** Number of completed steps. */
  readonly step: number;
  /** Number of those steps that loss scaling skipped. */
  readonly skipped: number;
  readonly tokens: number;
  readonly seconds: { readonly train: number; readonly evaluate: number };
  readonly sums: MetricSums;
  readonly best: Best | null;
  /** Update counts and the loss scale. */
  readonly programs: Pick<TrainState, "updates" | "lossScaler">;
  /** Position of each task's batch stream: the batch that comes next. */
  readonly positions: Readonly<Record<string, StreamPosition>>;
  /** Number of lines in `metrics.jsonl` at this step. */
  readonly metricsLines: number;
  /** True if the evaluation of this step has not been done yet. */
  readonly evaluationDue: boolean;
  /** Digests of the tokenizer and the data. */
  readonly inputs: RunInputs;
  /** The configuration at this step; missing in checkpoints of older versions. */
  readonly config?: RunConfig;
  /** Configuration changes made when the run was resumed, oldest first. */
  readonly changes?: readonly ConfigChange[];
};

/** The part of a trained parameter that a checkpoint contains. */
export type SavedParameter =
  & Pick<TrainedParameter, typeof SLOTS[number]>
  & { readonly plan: Pick<TrainedParameter["plan"], "name"> };

/** A restored state, with notes for the user. */
type Restored = { readonly state: RunState; readonly notes: readonly string[] };

type Manifest = {
  readonly state: RunState;
  /** SHA-256 of the tensors file. */
  readonly tensors: string;
  /** SHA-256 of `state` and `tensors`. */
  readonly sha256: string;
};

const SLOTS = ["weight", "first", "second"] as const;

const tensorsPath = (dir: string, step: number) => join(dir, `step-${step}.safetensors`);
const manifestPath = (dir: string, step: number) => join(dir, `step-${step}.json`);

/** SHA-256 of a file, read in chunks. Throws if the file is a placeholder such as a Git LFS pointer. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  let isFirst = true;
  for await (const bytes of file.readable) {
    if (isFirst) requireContent(bytes, path, "checkpoint");
    isFirst = false;
    hash.update(bytes);
  }
  return hash.digest("hex");
}

/** SHA-256 of the content of a manifest. */
function hashManifest({ state, tensors }: Omit<Manifest, "sha256">): string {
  return createHash("sha256").update(JSON.stringify([state, tensors])).digest("hex");
}

/** Step numbers of the files in `dir` that match `pattern`, newest first. */
async function listSteps(dir: string, pattern: RegExp): Promise<number[]> {
  if (!await isFolder(dir)) return [];
  const steps = new Set<number>();
  for await (const { name } of Deno.readDir(dir)) {
    const step = pattern.exec(name)?.[1];
    if (step !== undefined) steps.add(Number(step));
  }
  return [...steps].sort((a, b) => b - a);
}

/**
 * Saves parameters, moments and state in the folder `dir`, and deletes old checkpoints there. The newest `keep`
 * checkpoints remain, this one included, and so does the best one.
 */
export async function saveCheckpoint(
  dir: string,
  parameters: readonly SavedParameter[],
  state: RunState,
  { keep }: { readonly keep: number },
): Promise<void> {
  const { step } = state;
  const tensors = parameters.flatMap((parameter) =>
    SLOTS.map((slot): TensorToWrite => ({
      name: `${slot}.${parameter.plan.name}`,
      shape: parameter[slot].shape,
      read: async () => await parameter[slot].data() as Float32Array,
    }))
  );
  // Remove the manifest of an older checkpoint of this step first: it does not match the new tensors.
  await Deno.remove(manifestPath(dir, step)).catch(() => {});
  await writeSafetensors(tensorsPath(dir, step), tensors, { metadata: {} });
  const content = { state, tensors: await hashFile(tensorsPath(dir, step)) };
  const manifest: Manifest = { ...content, sha256: hashManifest(content) };
  await writeFileAtomic(manifestPath(dir, step), JSON.stringify(manifest, null, 2) + "\n");
  const complete = await listSteps(dir, /^step-(\d+)\.json$/);
  const kept = complete.filter((each) => each <= step).slice(0, keep);
  for (const each of await listSteps(dir, /^step-(\d+)\.(?:json|safetensors)$/)) {
    if (kept.includes(each) || each === state.best?.step) continue;
    for (const path of [manifestPath(dir, each), tensorsPath(dir, each)]) {
      await Deno.remove(path).catch(() => {});
    }
  }
}

/**
 * Restores `parameters` in place from the newest undamaged checkpoint in `dir`. Returns its state, or null if there
 * is no checkpoint. A note names each damaged checkpoint that was skipped.
 *
 * @param options `inputs`: digests of the current data, which must equal those of the checkpoint.
 * @throws {RangeError} if all checkpoints are damaged
 * @throws {TypeError} if the inputs have changed
 */
export async function restoreCheckpointInto(
  parameters: readonly SavedParameter[],
  dir: string,
  options: { readonly inputs?: RunInputs } = {},
): Promise<Restored | null> {
  if (await isFolder(dir)) await removePartials(dir);
  const damages: string[] = [];
  for (const step of await listSteps(dir, /^step-(\d+)\.json$/)) {
    try {
      const state = await restoreStepInto(parameters, dir, { step, slots: SLOTS, ...options });
      const notes = damages.map((damage) =>
        `${damage}. Resumed from the previous checkpoint, step ${step}.`
      );
      return { state, notes };
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      damages.push(error.message);
    }
  }
  if (damages[0] !== undefined) {
    throw new RangeError(`${damages[0]}. No other checkpoint is intact: start a new run`);
  }
  return null;
}

/** The state of the newest checkpoint in `dir` with an undamaged manifest; null if there is none. */
export async function readNewestState(dir: string): Promise<RunState | null> {
  for (const step of await listSteps(dir, /^step-(\d+)\.json$/)) {
    try {
      return (await readManifest(manifestPath(dir, step))).state;
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    }
  }
  return null;
}

/** Restores only the weights of `parameters`, in place, from the checkpoint of `step`. */
export async function restoreWeightsInto(
  parameters: readonly SavedParameter[],
  dir: string,
  step: number,
): Promise<void> {
  await restoreStepInto(parameters, dir, { step, slots: ["weight"] });
}

async function restoreStepInto(
  parameters: readonly SavedParameter[],
  dir: string,
  { step, slots, inputs }: {
    readonly step: number;
    readonly slots: readonly typeof SLOTS[number][];
    readonly inputs?: RunInputs;
  },
): Promise<RunState> {
  const path = tensorsPath(dir, step);
  const { state, tensors } = await readManifest(manifestPath(dir, step));
  verifyHash(path, await isFile(path) ? await hashFile(path) : null, tensors);
  if (inputs !== undefined) checkInputs(inputs, state.inputs);
  using saved = await openSafetensors(path);
  for (const parameter of parameters) {
    for (const slot of slots) {
      const variable = parameter[slot];
      const values = await saved.read(`${slot}.${parameter.plan.name}`);
      tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
    }
  }
  return state;
}

function verifyHash(path: string, found: string | null, wanted: string): void {
  if (found === wanted) return;
  throw new RangeError(
    `Cannot resume from ${path}: ` +
      (found === null
        ? "the file is missing"
        : `the file is damaged (its SHA-256 is ${found}, not ${wanted})`),
  );
}

/** Reads a manifest and verifies its checksum. */
async function readManifest(path: string): Promise<Manifest> {
  const { state, tensors, sha256 } = await readJson(path, "checkpoint") as Partial<Manifest> ?? {};
  if (typeof state !== "object" || typeof tensors !== "string" || typeof sha256 !== "string") {
    throw new RangeError(
      `Cannot resume from ${path}: the file must contain state, tensors and sha256`,
    );
  }
  verifyHash(path, hashManifest({ state, tensors }), sha256);
  return { state, tensors, sha256 };
}
