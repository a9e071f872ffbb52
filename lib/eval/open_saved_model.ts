/**
 * Opens a saved model for prediction: of a run, or of any folder with a BERT checkpoint.
 * @module
 */

import { findModelFolder } from "@/model/find_model_folder.ts";
import { readBertConfig, requireTokenRows } from "@/model/bert_config.ts";
import { loadModel } from "@/model/load_model.ts";
import type { MultiTask } from "@/model/parameters.ts";
import { findGraphWithoutWeights } from "@/model/save_onnx.ts";
import type { ProgressView } from "@/progress.ts";
import { loadTexts } from "@/model/sentence_settings.ts";
import { findPoolingStart, type PromptSettings, resolvePrompt } from "@/text/prompts.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** A model with everything needed to encode raw text for it. */
export type SavedModel = {
  /** Encoder and heads. */
  readonly model: MultiTask;
  /** Tokenizer of the encoder. */
  readonly tokenizer: Tokenizer;
  /** Maximum input length in tokens, [CLS] and [SEP] included. */
  readonly maxLength: number;
  /** Prompts to prepend to texts. `model` is set up for the default prompt. */
  readonly prompts: PromptSettings;
};

/**
 * Padded lengths for prediction and encoding. Each length needs a plan of its own, which takes about 20 ms
 * to build once (native; compiled code is shared). Padding costs as much as text at every call. Steps of 2
 * for the shortest and 32 for the longest texts keep both costs low: on AG News, in batches of 64, 7 % of
 * the tokens are padding.
 */
const LENGTHS = Array.from({ length: 512 }, (_, i) => i + 1).filter((length) => {
  const step = length <= 16 ? 2 : length <= 64 ? 4 : length <= 128 ? 8 : length <= 256 ? 16 : 32;
  return length % step === 0;
});

/** Padded lengths up to a model's limit, inclusive. */
export function paddedLengths({ maxLength }: Pick<SavedModel, "maxLength">): readonly number[] {
  return [...LENGTHS.filter((length) => length < maxLength), maxLength];
}

/**
 * Opens the weights of a run, a folder or a model on the Hub; `view` shows the progress of downloads. Throws
 * if the folder holds only an exported graph, which `openTextModel` can open.
 */
export async function openSavedModel(
  source: string,
  options: { readonly view?: ProgressView } = {},
): Promise<SavedModel> {
  const folder = await findModelFolder(source, options);
  const graph = await findGraphWithoutWeights(folder);
  if (graph !== null) {
    throw new Deno.errors.NotFound(
      `Cannot open the weights of ${source}: its folder has no model.safetensors, only the exported graph ${graph}, ` +
        "which predict, encode, similarity, evaluate and app can use",
    );
  }
  const { tokenizer, prompts, encoderFolder } = await loadTexts(folder); // first, because the weights take longer to load
  requireTokenRows(await readBertConfig(encoderFolder), tokenizer.vocabularySize, encoderFolder);
  const { model, maxLength } = await loadModel(folder);
  const prompt = resolvePrompt(prompts);
  const poolingStart = findPoolingStart(prompts, prompt, { tokenizer, maxLength });
  return { model: { ...model, poolingStart }, tokenizer, maxLength, prompts };
}
