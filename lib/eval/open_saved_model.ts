/**
 * A saved model, ready to be asked: of a run, or of any folder that holds a BERT checkpoint.
 * @module
 */

import { findModelFolder } from "@/model/find_model_folder.ts";
import { readBertConfig, requireTokenRows } from "@/model/bert_config.ts";
import { loadModel } from "@/model/load_model.ts";
import type { MultiTask } from "@/model/parameters.ts";
import { findLoneGraph } from "@/model/save_onnx.ts";
import type { ProgressView } from "@/progress.ts";
import { loadTexts } from "@/model/sentence_settings.ts";
import { findPoolingStart, type PromptSettings, resolvePrompt } from "@/text/prompts.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** A model with all that raw text needs on its way in. */
export type SavedModel = {
  readonly model: MultiTask;
  readonly tokenizer: Tokenizer;
  /** Longest input in word pieces, [CLS] and [SEP] included. */
  readonly maxLength: number;
  /** The text that comes before each text; `model` pools as its default prompt asks for. */
  readonly prompts: PromptSettings;
};

/**
 * Padded lengths of what is predicted and encoded. A length is a program of its own, though compiled code
 * is shared, and is planned once in some 20 ms (native); padding costs as much as text at every call. Steps
 * of 2 for the shortest, 32 for the longest keep both small: over AG News, in batches of 64, padding is 7 %
 * of the pieces.
 */
const LENGTHS = Array.from({ length: 512 }, (_, i) => i + 1).filter((length) => {
  const step = length <= 16 ? 2 : length <= 64 ? 4 : length <= 128 ? 8 : length <= 256 ? 16 : 32;
  return length % step === 0;
});

/** Padded lengths up to a model's limit, the limit included. */
export function paddedLengths({ maxLength }: Pick<SavedModel, "maxLength">): readonly number[] {
  return [...LENGTHS.filter((length) => length < maxLength), maxLength];
}

/**
 * Opens the weights of a run, of a folder or of a name on the Hub; `view` shows what is fetched. A folder
 * that holds an exported graph alone is refused: `openTextModel` opens both.
 */
export async function openSavedModel(
  source: string,
  options: { readonly view?: ProgressView } = {},
): Promise<SavedModel> {
  const folder = await findModelFolder(source, options);
  const graph = await findLoneGraph(folder);
  if (graph !== null) {
    throw new Deno.errors.NotFound(
      `Cannot open the weights of ${source} as its folder must hold model.safetensors: it holds ${graph} ` +
        "alone, which predict, encode, similarity, evaluate and app can use",
    );
  }
  const { tokenizer, prompts, encoderFolder } = await loadTexts(folder); // before the weights, which take longer
  requireTokenRows(await readBertConfig(encoderFolder), tokenizer.vocabularySize, encoderFolder);
  const { model, maxLength } = await loadModel(folder);
  const prompt = resolvePrompt(prompts);
  const poolingStart = findPoolingStart(prompts, prompt, { tokenizer, maxLength });
  return { model: { ...model, poolingStart }, tokenizer, maxLength, prompts };
}
