/**
 * A tiny saved model for tests with raw texts.
 * @module
 */

import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "@/engine/engine.ts";
import { openSavedModel, type SavedModel } from "@/eval/open_saved_model.ts";
import { parseBertConfig } from "@/model/bert_config.ts";
import { createEncoder, createModel } from "@/model/initialize.ts";
import { disposeModel } from "@/model/parameters.ts";
import { saveModel } from "@/model/save_model.ts";
import { NO_PROMPTS, type PromptSettings } from "@/text/prompts.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { learnVocabulary } from "@/text/vocabulary.ts";

/** Texts of various lengths, some beyond the model's limit of 16 tokens. */
export const TEXTS = [
  "Ada Lovelace wrote to Babbage.",
  "",
  "São Paulo, 1999: it's raining — again!",
  "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
  "yes",
];

/** Writes a model of 2 layers and 2 tasks into `folder`/model. Its tags depend only on `tagBias`. */
export async function writeRun(
  folder: string,
  tagBias: readonly number[],
  prompts: PromptSettings = NO_PROMPTS,
): Promise<void> {
  await openEngine();
  const learned = learnVocabulary(TEXTS, { size: 120, lowercase: true });
  const tokenizer = tokenizerFromJson(learned.json, learned.config, "test");
  const bert = {
    model_type: "bert",
    vocab_size: tokenizer.vocabularySize,
    hidden_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 32,
    max_position_embeddings: 16,
    pad_token_id: tokenizer.ids.pad,
  };
  const model = createModel(createEncoder(parseBertConfig(bert, "test"), { seed: 1 }), {
    tasks: [
      { name: "topic", kind: "classification", labels: ["a", "b", "c"] },
      { name: "tags", kind: "tagging", labels: ["O", "B-X", "I-X"] },
    ],
    pooling: "mean",
    embeddingSize: null,
    normalize: "l2",
    seed: 1,
  });
  const out = model.heads.get("tags")?.out;
  tf.tidy(() => {
    out?.weight.assign(tf.zeros([3, 16]));
    out?.bias.assign(tf.tensor1d([...tagBias]));
  });
  await saveModel(join(folder, "model"), model, { tokenizer, maxLength: 16, prompts });
  disposeModel(model);
}

/** Runs `test` with a model that was saved and opened through the folder of its run. */
export async function withSavedModel(
  tagBias: readonly number[],
  test: (saved: SavedModel, folder: string) => Promise<void>,
  prompts: PromptSettings = NO_PROMPTS,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await writeRun(folder, tagBias, prompts);
    const saved = await openSavedModel(folder);
    await test(saved, folder);
    disposeModel(saved.model);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
