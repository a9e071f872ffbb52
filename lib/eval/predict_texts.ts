/**
 * Predictions of a saved model for raw texts.
 * @module
 */
import { paddedLengths, type SavedModel } from "@/eval/open_saved_model.ts";
import { createPredictor } from "@/eval/predict_examples.ts";
import type { ModelTask } from "@/model/model_task.ts";
import { combinePredictors, type TextPredictor } from "@/eval/text_predictor.ts";
import { resolvePrompt } from "@/text/prompts.ts";

/** Throws if the model has no tasks. */
export function checkHasTasks(tasks: readonly ModelTask[]): void {
  if (tasks.length > 0) return;
  throw new RangeError("Cannot predict: the model is an encoder without tasks");
}

/**
 * Creates a predictor for raw texts. Compiled programs are reused across calls.
 *
 * @param options `rows`: texts per batch. Batches are always padded to this many rows, so use a small number
 *   for few texts.
 */
export function createTextPredictor(
  saved: SavedModel,
  options: { readonly rows?: number } = {},
): TextPredictor {
  const { model, tokenizer } = saved;
  const { rows = 16 } = options;
  checkHasTasks(model.tasks);
  const { pad: padId, cls: clsId } = tokenizer.ids;
  const lengths = paddedLengths(saved);
  const tasks = model.tasks.map((task) => ({
    task,
    predictor: createPredictor(model, task.name, { lengths, padId, clsId, rows }),
  }));
  return combinePredictors(tasks, { ...saved, prompt: resolvePrompt(saved.prompts) });
}
