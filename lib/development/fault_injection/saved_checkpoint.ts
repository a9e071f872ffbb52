/**
 * Saved checkpoints with their original content, to check what is restored from damaged ones.
 * @module
 */
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { readBytes, writeFileAtomic } from "@/system/files.ts";
import { openSafetensors } from "@/model/safetensors.ts";
import { restoreCheckpointInto, type SavedParameter } from "@/train/checkpoint.ts";

/** Checkpoints to restore while one of their files is damaged. */
export type SavedCheckpoint = {
  /** File names. */
  readonly files: readonly string[];
  /** Restores the newest usable checkpoint. Returns a description if the result is wrong, else null. */
  read(): Promise<string | null>;
};

/** Content of an intact checkpoint. */
type Content = { readonly state: string; readonly weights: readonly (readonly number[])[] };

/** Opens the checkpoints in `dir`, which must all be intact, and reads their content for later comparison. */
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
  // Only the newest checkpoint is ever restored, so each is hidden in turn after its content has been read.
  const contents = new Map<number, Content>();
  const hidden: (() => Promise<void>)[] = [];
  for (const step of steps) {
    const restored = await restoreCheckpointInto(parameters, dir);
    if (restored === null || restored.notes.length > 0) {
      throw new TypeError(`internal: checkpoint ${step} of ${dir} is not contents`);
    }
    contents.set(step, { state: JSON.stringify(restored.state), weights: await readWeights() });
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
      if (restored === null) return "it was treated as a run without checkpoints";
      const { state, notes } = restored;
      const known = contents.get(state.step);
      if (JSON.stringify(state) !== known?.state) return "its state differs from the saved one";
      if (JSON.stringify(await readWeights()) !== JSON.stringify(known.weights)) {
        return "its weights differ from the saved ones";
      }
      return state.step === steps[0] || notes.length > 0
        ? null
        : "an older checkpoint was used without a note";
    },
  };
}

/** Creates variables for all parameters in a safetensors file. */
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
