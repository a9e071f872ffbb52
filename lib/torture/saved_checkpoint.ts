/**
 * A run's checkpoints as they were saved, to be told from what comes of damaged ones.
 * @module
 */
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { readBytes, writeFileAtomic } from "@/files.ts";
import { openSafetensors } from "@/model/safetensors.ts";
import { restoreCheckpointInto, type SavedParameter } from "@/train/checkpoint.ts";

/** Checkpoints that are read while one of their files is damaged. */
export type SavedCheckpoint = {
  /** Names of the files. */
  readonly files: readonly string[];
  /** Restores what can be; gives what is wrong with it, null where nothing is. */
  read(): Promise<string | null>;
};

/** What a whole checkpoint holds. */
type Content = { readonly state: string; readonly weights: readonly (readonly number[])[] };

/** Opens the checkpoints in `dir`, all of which must be whole, and remembers what is in them. */
export async function openSavedCheckpoint(dir: string): Promise<SavedCheckpoint> {
  const steps: number[] = [];
  for await (const { name } of Deno.readDir(dir)) {
    const step = /^step-(\d+)\.json$/.exec(name)?.[1];
    if (step !== undefined) steps.push(Number(step));
  }
  steps.sort((a, b) => b - a);
  const parameters = await makeParameters(join(dir, `step-${steps[0]}.safetensors`));
  const readWeights = async () =>
    await Promise.all(parameters.map(async ({ weight }) => [...await weight.data()]));
  // Each is restored once alone: the newest of all that are there is what is put back.
  const whole = new Map<number, Content>();
  const hidden: (() => Promise<void>)[] = [];
  for (const step of steps) {
    const restored = await restoreCheckpointInto(parameters, dir);
    if (restored === null || restored.notes.length > 0) {
      throw new TypeError(`internal: checkpoint ${step} of ${dir} is not whole`);
    }
    whole.set(step, { state: JSON.stringify(restored.state), weights: await readWeights() });
    const manifest = join(dir, `step-${step}.json`);
    const bytes = await readBytes(manifest, "checkpoint");
    await Deno.remove(manifest);
    hidden.push(() => writeFileAtomic(manifest, bytes));
  }
  for (const restore of hidden) await restore();
  return {
    files: steps.flatMap((step) => [`step-${step}.json`, `step-${step}.safetensors`]),
    async read() {
      const restored = await restoreCheckpointInto(parameters, dir);
      if (restored === null) return "it was taken for a run without checkpoints";
      const { state, notes } = restored;
      const known = whole.get(state.step);
      if (JSON.stringify(state) !== known?.state) return "its state is not the one that was saved";
      if (JSON.stringify(await readWeights()) !== JSON.stringify(known.weights)) {
        return "its weights are not those that were saved";
      }
      return state.step === steps[0] || notes.length > 0 ? null : "an older one was used unsaid";
    },
  };
}

/** Variables for all parameters in a file of tensors. */
async function makeParameters(path: string): Promise<readonly SavedParameter[]> {
  using file = await openSafetensors(path);
  const zeros = (shape: readonly number[]) => tf.variable(tf.zeros([...shape]), false);
  return [...file.entries.values()].flatMap(({ name, shape }) =>
    name.startsWith("weight.")
      ? [{
        plan: { name: name.slice("weight.".length) },
        weight: zeros(shape),
        first: zeros(shape),
        second: zeros(shape),
      }]
      : []
  );
}
