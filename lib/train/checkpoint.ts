/**
 * Checkpoints: all that a run needs to go on as if it had never stopped. The tensors are written first,
 * beside the old ones; then the manifest that names them with their checksum takes the old one's place.
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { isFile, readJson, writeFileAtomic } from "@/files.ts";
import { openSafetensors, type TensorToWrite, writeSafetensors } from "@/model/safetensors.ts";
import type { StreamPosition } from "@/text/batches.ts";
import type { TrainedParameter } from "@/train/trained_parameters.ts";

/** Sums since the last line of metrics. */
export type MetricSums = {
  /** Steps summed. */
  readonly steps: number;
  readonly gradientNorm: number;
  /** By task: losses times counts, and counts. */
  readonly losses: Readonly<Record<string, { readonly sum: number; readonly count: number }>>;
};

/** Where a run stands, apart from its tensors. */
export type RunState = {
  /** Steps done. */
  readonly step: number;
  readonly tokens: number;
  readonly seconds: { readonly train: number; readonly evaluate: number };
  readonly sums: MetricSums;
  /** What each task's stream of batches gives next. */
  readonly positions: Readonly<Record<string, StreamPosition>>;
  /** Lines of `metrics.jsonl` that belong to it. */
  readonly metricsLines: number;
};

type Manifest = { readonly state: RunState; readonly file: string; readonly sha256: string };

const MANIFEST = "manifest.json";
const SLOTS = ["weight", "first", "second"] as const;

/** Checksum of a file, read piece by piece. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const bytes of file.readable) hash.update(bytes);
  return hash.digest("hex");
}

/** Saves parameters, moments and state in the folder `dir`; older checkpoints in it are removed. */
export async function saveCheckpoint(
  dir: string,
  parameters: readonly TrainedParameter[],
  state: RunState,
): Promise<void> {
  const file = `step-${state.step}.safetensors`;
  const tensors = parameters.flatMap((parameter) =>
    SLOTS.map((slot): TensorToWrite => ({
      name: `${slot}.${parameter.plan.name}`,
      shape: parameter[slot].shape,
      read: async () => await parameter[slot].data() as Float32Array,
    }))
  );
  await writeSafetensors(join(dir, file), tensors, { metadata: {} });
  const manifest: Manifest = { state, file, sha256: await hashFile(join(dir, file)) };
  await writeFileAtomic(join(dir, MANIFEST), JSON.stringify(manifest, null, 2) + "\n");
  for await (const { name } of Deno.readDir(dir)) {
    if (name.endsWith(".safetensors") && name !== file) await Deno.remove(join(dir, name));
  }
}

/**
 * Puts the checkpoint in `dir` back into `parameters`, in place, and gives the state that it was saved
 * with; null where there is none.
 */
export async function restoreCheckpointInto(
  parameters: readonly TrainedParameter[],
  dir: string,
): Promise<RunState | null> {
  const path = join(dir, MANIFEST);
  if (!await isFile(path)) return null;
  const { state, file, sha256 } = checkManifest(await readJson(path, "checkpoint"), path);
  const tensors = join(dir, file);
  const found = await isFile(tensors) ? await hashFile(tensors) : "none, as the file is missing";
  if (found !== sha256) {
    throw new RangeError(
      `Cannot resume run as ${tensors} must have the checksum ${sha256}: current one is ${found}`,
    );
  }
  using saved = await openSafetensors(tensors);
  for (const parameter of parameters) {
    for (const slot of SLOTS) {
      const variable = parameter[slot];
      const values = await saved.read(`${slot}.${parameter.plan.name}`);
      tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
    }
  }
  return state;
}

/** A manifest's shape; what is in it is vouched for by who wrote it. */
function checkManifest(json: unknown, path: string): Manifest {
  const manifest = json as Partial<Manifest> | null;
  const { state, file, sha256 } = manifest ?? {};
  const whole = typeof state === "object" && typeof state.step === "number" &&
    typeof file === "string" && typeof sha256 === "string";
  if (!whole) {
    throw new RangeError(`Cannot resume run as ${path} must hold state, file and sha256`);
  }
  return { state, file, sha256 };
}
