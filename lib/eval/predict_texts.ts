/**
 * What a saved model says of raw texts.
 * @module
 */
import { paddedLengths, type SavedModel } from "@/eval/open_saved_model.ts";
import { createPredictor } from "@/eval/predict_examples.ts";
import type { ModelTask } from "@/model/parameters.ts";
import { createTextReader, type TextPredictor } from "@/eval/read_texts.ts";
import { resolvePrompt } from "@/text/prompts.ts";

/** Refuses a model that has nothing to predict. */
export function checkHasTasks(tasks: readonly ModelTask[]): void {
  if (tasks.length > 0) return;
  throw new RangeError("Cannot predict as the model must have tasks: it is an encoder alone");
}

/**
 * A predictor for raw texts; its programs are kept from call to call.
 *
 * @param options `rows`: texts that run together; a batch always has as many, so few texts want few.
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
  return createTextReader(tasks, { ...saved, prompt: resolvePrompt(saved.prompts) });
}
