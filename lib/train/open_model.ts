/**
 * The initial model of a run: a pretrained encoder, or a randomly initialized one with a vocabulary learned from the
 * training rows. The heads are always randomly initialized.
 * @module
 */
import type { ModelConfig, RunConfig } from "@/config/config.ts";
import { type Row, textOfRow } from "@/data/rows.ts";
import { readBertConfig, requireTokenRows } from "@/model/bert_config.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { createEncoder, createModel } from "@/model/initialize.ts";
import { loadEncoder } from "@/model/load_encoder.ts";
import { disposeEncoder, type Encoder, type MultiTask } from "@/model/parameters.ts";
import { loadTexts } from "@/model/sentence_settings.ts";
import type { ProgressView } from "@/progress.ts";
import {
  findPoolingStart,
  NO_PROMPTS,
  type PromptSettings,
  resolvePrompt,
} from "@/text/prompts.ts";
import { type Tokenizer, tokenizerFromJson } from "@/text/tokenizer.ts";
import { learnVocabulary } from "@/text/vocabulary.ts";

/** The tokenizer and the prompts of a model. */
type OpenedTexts = { readonly tokenizer: Tokenizer; readonly prompts: PromptSettings };

/** A model with the tokenizer and the prompts of its checkpoint. */
type OpenedModel = OpenedTexts & { readonly model: MultiTask };

/** Source of a model; `folder` is the folder of the encoder, null if the encoder is randomly initialized. */
type Source = OpenedTexts & { readonly folder: string | null };

/** Opens the tokenizer and prompts of a run without its model; `rows` are the training rows of all tasks. */
export async function openTexts(
  config: ModelConfig,
  rows: Iterable<Row>,
  options: { readonly view?: ProgressView } = {},
): Promise<OpenedTexts> {
  return await openSource(config, rows, options);
}

/**
 * Creates the model of a run; `rows` are the training rows of all tasks. The checkpoint's default prompt precedes every
 * text, in training, in evaluation and in later use of the model.
 */
export async function openModel(
  { model: config, tasks, seed }: Pick<RunConfig, "model" | "tasks" | "seed">,
  rows: Iterable<Row>,
  options: { readonly view?: ProgressView } = {},
): Promise<OpenedModel> {
  const { tokenizer, prompts, folder } = await openSource(config, rows, options);
  if (folder !== null) {
    requireTokenRows(await readBertConfig(folder), tokenizer.vocabularySize, folder);
  }
  const encoder = folder === null
    ? createFresh(config, tokenizer, seed)
    : (await loadEncoder(folder)).encoder;
  try {
    checkLength(encoder, config.maxLength);
    const { pooling, embeddingSize, normalize, maxLength } = config;
    const model = createModel(encoder, { tasks, pooling, embeddingSize, normalize, seed });
    const prompt = resolvePrompt(prompts);
    const poolingStart = findPoolingStart(prompts, prompt, { tokenizer, maxLength });
    return { model: { ...model, poolingStart }, tokenizer, prompts };
  } catch (error) {
    disposeEncoder(encoder);
    throw error;
  }
}

async function openSource(
  { source, fresh }: ModelConfig,
  rows: Iterable<Row>,
  options: { readonly view?: ProgressView },
): Promise<Source> {
  if (source === null) {
    const texts = Array.from(rows, textOfRow);
    const { json, config } = learnVocabulary(texts, {
      size: fresh.vocabularySize,
      lowercase: true,
    });
    const tokenizer = tokenizerFromJson(json, config, "the learned vocabulary");
    return { tokenizer, prompts: NO_PROMPTS, folder: null };
  }
  const { encoderFolder, ...texts } = await loadTexts(await findModelFolder(source, options));
  return { ...texts, folder: encoderFolder };
}

function createFresh({ fresh, dropout }: ModelConfig, tokenizer: Tokenizer, seed: number): Encoder {
  return createEncoder({
    ...fresh,
    vocabularySize: tokenizer.vocabularySize,
    typeVocabularySize: 2, // this and the next two settings as in BERT
    layerNormEpsilon: 1e-12,
    initializerRange: 0.02,
    padId: tokenizer.ids.pad,
    dropout: { hidden: dropout.hidden, attention: dropout.attention },
  }, { seed });
}

/** Throws if the encoder has fewer positions than the maximum input length. */
function checkLength({ config }: Encoder, maxLength: number): void {
  if (maxLength > config.maxPositions) {
    throw new RangeError(
      `Cannot load model: model.maxLength is ${maxLength}, but the encoder has only ` +
        `${config.maxPositions} positions; reduce model.maxLength`,
    );
  }
}
