/**
 * A tiny run on the built-in sample, trained until it distinguishes topics and entities.
 * @module
 */
import { openEngine } from "@/engine/engine.ts";
import { openSavedModel, type SavedModel } from "@/eval/open_saved_model.ts";
import { disposeModel } from "@/model/parameters.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { trainRun } from "@/train/train_run.ts";
import { inFolder } from "../train/tiny_run.ts";

const CONFIG = resolveConfig({
  preset: "quickstart",
  file: {
    executor: "onnx", // works on every machine, and is less sensitive to load
    model: {
      fresh: {
        hiddenSize: 32,
        layers: 1,
        attentionHeads: 2,
        intermediateSize: 64,
        vocabularySize: 800,
        maxPositions: 48,
      },
      maxLength: 48,
      dropout: { hidden: 0, attention: 0, head: 0 },
    },
    training: {
      maxSteps: 150,
      epochs: 100,
      batchRows: 16,
      lengths: [48],
      learningRate: { top: 5e-3, decay: 1, heads: 5e-3 },
      evaluateEvery: null,
      checkpointEvery: null,
      earlyStopping: null,
    },
    data: { maxRows: 400, scoreTest: false },
  },
});

/** Runs `test` with the trained model and a temporary folder. */
export async function withTrainedModel(
  test: (saved: SavedModel, folder: string) => Promise<void>,
): Promise<void> {
  await openEngine({ executor: "onnx" });
  await inFolder(async (folder) => {
    await trainRun(CONFIG, { out: `${folder}/run`, nowMs: () => 0, environment: {} });
    const saved = await openSavedModel(`${folder}/run`);
    await test(saved, folder);
    disposeModel(saved.model);
  });
}
