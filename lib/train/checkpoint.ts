/**
 * Checkpoints: all that a run needs to go on as if it had never stopped. Each is a file of tensors and,
 * written after it, a manifest with the rest, the checksum of the tensors and its own:
 * `step-N.safetensors`, `step-N.json`. Chance needs no state: every draw is a function of the seed and the step.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { RunConfig } from "@/config.ts";
import {
  isFile,
  isFolder,
  readJson,
  removePartials,
  requireContent,
  writeFileAtomic,
} from "@/files.ts";
import { openSafetensors, type TensorToWrite, writeSafetensors } from "@/model/safetensors.ts";
import type { StreamPosition } from "@/text/batches.ts";
import type { Best } from "@/train/early_stopping.ts";
import type { ConfigChange } from "@/train/resume.ts";
import { checkInputs, type RunInputs } from "@/train/run_inputs.ts";
import type { StepState } from "@/train/step.ts";
import type { TrainedParameter } from "@/train/trained_parameters.ts";

/** Sums since the last line of metrics. */
export type MetricSums = {
  /** Steps summed; those that a loss scale skipped are not. */
  readonly steps: number;
  readonly gradientNorm: number;
  /** By task: losses times counts, and counts. */
  readonly losses: Readonly<Record<string, { readonly sum: number; readonly count: number }>>;
};

/** Where a run stands, apart from its tensors. */
export type RunState = {
  /** Steps done. */
  readonly step: number;
  /** Those among them that a loss scale skipped. */
  readonly skipped: number;
  readonly tokens: number;
  readonly seconds: { readonly train: number; readonly evaluate: number };
  readonly sums: MetricSums;
  readonly best: Best | null;
  /** Counts of updates and the loss scale. */
  readonly programs: StepState;
  /** What each task's stream of batches gives next. */
  readonly positions: Readonly<Record<string, StreamPosition>>;
  /** Lines of `metrics.jsonl` that belong to it. */
  readonly metricsLines: number;
  /** Whether the evaluation of this step is still to be done. */
  readonly evaluationDue: boolean;
  /** What it was trained on. */
  readonly inputs: RunInputs;
  /** What it was configured to be; missing in checkpoints of older code. */
  readonly config?: RunConfig;
  /** What that configuration changed when the run was resumed, the earliest first. */
  readonly changes?: readonly ConfigChange[];
};

/** What of a parameter a checkpoint holds. */
export type SavedParameter =
  & Pick<TrainedParameter, typeof SLOTS[number]>
  & { readonly plan: Pick<TrainedParameter["plan"], "name"> };

/** A state put back, with what there is to say about it. */
export type Restored = { readonly state: RunState; readonly notes: readonly string[] };

type Manifest = {
  readonly state: RunState;
  /** Checksum of the file of tensors. */
  readonly tensors: string;
  /** Checksum of the two above. */
  readonly sha256: string;
};

const SLOTS = ["weight", "first", "second"] as const;

const tensorsPath = (dir: string, step: number) => join(dir, `step-${step}.safetensors`);
const manifestPath = (dir: string, step: number) => join(dir, `step-${step}.json`);

/** Checksum of a file, read in parts; a file that another one stands in place of is refused. */
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

/** Checksum of what a manifest says. */
function hashManifest({ state, tensors }: Omit<Manifest, "sha256">): string {
  return createHash("sha256").update(JSON.stringify([state, tensors])).digest("hex");
}

/** Steps of all files in `dir`, the newest first. */
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
 * Saves parameters, moments and state in the folder `dir`. Of the checkpoints in it, this one, those
 * before it up to `keep` and the best one stay.
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
  // An older checkpoint of this step would, half replaced, be neither.
  await Deno.remove(manifestPath(dir, step)).catch(() => {});
  await writeSafetensors(tensorsPath(dir, step), tensors, { metadata: {} });
  const content = { state, tensors: await hashFile(tensorsPath(dir, step)) };
  const manifest: Manifest = { ...content, sha256: hashManifest(content) };
  await writeFileAtomic(manifestPath(dir, step), JSON.stringify(manifest, null, 2) + "\n");
  const whole = await listSteps(dir, /^step-(\d+)\.json$/);
  const kept = whole.filter((each) => each <= step).slice(0, keep);
  for (const each of await listSteps(dir, /^step-(\d+)\.(?:json|safetensors)$/)) {
    if (kept.includes(each) || each === state.best?.step) continue;
    for (const path of [manifestPath(dir, each), tensorsPath(dir, each)]) {
      await Deno.remove(path).catch(() => {});
    }
  }
}

/**
 * Puts the newest checkpoint in `dir` that is whole back into `parameters`, in place, and gives the state
 * that it was saved with; null where there is none. A damaged one is named in a note.
 *
 * @param options `inputs` of the run that goes on must be those that the checkpoint was saved with.
 * @throws {RangeError} where there are checkpoints and all of them are damaged
 * @throws {TypeError} where inputs have changed
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
        `${damage}: went on from the one before, of step ${step}`
      );
      return { state, notes };
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      damages.push(error.message);
    }
  }
  if (damages[0] !== undefined) throw new RangeError(damages[0]);
  return null;
}

/** The state of the newest checkpoint in `dir` whose manifest is whole; null if there is none. */
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

/** Puts the weights alone of the checkpoint of `step` back into `parameters`, in place. */
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
  checkSum(path, await isFile(path) ? await hashFile(path) : null, tensors);
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

function checkSum(path: string, found: string | null, wanted: string): void {
  if (found === wanted) return;
  throw new RangeError(
    `Cannot resume run as ${path} must have the checksum ${wanted}: current one is ${
      found ?? "none, as the file is missing"
    }`,
  );
}

/** Reads a manifest that is, by its own checksum, what was written. */
async function readManifest(path: string): Promise<Manifest> {
  const { state, tensors, sha256 } = await readJson(path, "checkpoint") as Partial<Manifest> ?? {};
  if (typeof state !== "object" || typeof tensors !== "string" || typeof sha256 !== "string") {
    throw new RangeError(`Cannot resume run as ${path} must hold state, tensors and sha256`);
  }
  checkSum(path, hashManifest({ state, tensors }), sha256);
  return { state, tensors, sha256 };
}
