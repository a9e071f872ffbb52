/**
 * The model that a run begins with: a checkpoint's encoder, or a fresh one over a vocabulary learned from
 * the run's own training rows; heads are always fresh.
 * @module
 */
import type { ModelConfig, RunConfig } from "@/config.ts";
import { type Row, textOfRow } from "@/data/rows.ts";
import { readBertConfig, requireTokenRows } from "@/model/bert_config.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { createEncoder, createModel } from "@/model/init.ts";
import { loadEncoder } from "@/model/load_encoder.ts";
import { disposeEncoder, type Encoder, type MultiTask } from "@/model/parameters.ts";
import { readSentenceModules } from "@/model/sentence_modules.ts";
import type { ProgressView } from "@/progress.ts";
import { loadTokenizer } from "@/text/load_tokenizer.ts";
import { type Tokenizer, tokenizerFromJson } from "@/text/tokenizer.ts";
import { learnVocabulary } from "@/text/vocabulary.ts";

/** A model with the tokenizer it was made for. */
export type OpenedModel = { readonly model: MultiTask; readonly tokenizer: Tokenizer };

/** What a model is made over: a tokenizer and the encoder's folder, null where the encoder is to be fresh. */
type Source = { readonly tokenizer: Tokenizer; readonly folder: string | null };

/** The tokenizer of a run's model, without the model; `rows` are the training rows of all its tasks. */
export async function openTokenizer(
  config: ModelConfig,
  rows: Iterable<Row>,
  options: { readonly view?: ProgressView } = {},
): Promise<Tokenizer> {
  return (await openSource(config, rows, options)).tokenizer;
}

/** Makes the model of a run; `rows` are the training rows of all its tasks. */
export async function openModel(
  { model: config, tasks, seed }: Pick<RunConfig, "model" | "tasks" | "seed">,
  rows: Iterable<Row>,
  options: { readonly view?: ProgressView } = {},
): Promise<OpenedModel> {
  const { tokenizer, folder } = await openSource(config, rows, options);
  if (folder !== null) {
    requireTokenRows(await readBertConfig(folder), tokenizer.vocabularySize, folder);
  }
  const encoder = folder === null
    ? createFresh(config, tokenizer, seed)
    : (await loadEncoder(folder)).encoder;
  try {
    checkLength(encoder, config.maxLength);
    const { pooling, embeddingSize, normalize } = config;
    const model = createModel(encoder, { tasks, pooling, embeddingSize, normalize, seed });
    return { model, tokenizer };
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
    return { tokenizer: tokenizerFromJson(json, config, "the learned vocabulary"), folder: null };
  }
  const found = await findModelFolder(source, options);
  const folder = (await readSentenceModules(found))?.encoderFolder ?? found;
  return { tokenizer: await loadTokenizer(folder), folder };
}

function createFresh({ fresh, dropout }: ModelConfig, tokenizer: Tokenizer, seed: number): Encoder {
  return createEncoder({
    ...fresh,
    vocabularySize: tokenizer.vocabularySize,
    typeVocabularySize: 2, // this and the next two as in BERT
    layerNormEpsilon: 1e-12,
    initializerRange: 0.02,
    padId: tokenizer.ids.pad,
    dropout: { hidden: dropout.hidden, attention: dropout.attention },
  }, { seed });
}

/** An encoder must have a position for each token of the longest input. */
function checkLength({ config }: Encoder, maxLength: number): void {
  if (maxLength > config.maxPositions) {
    throw new RangeError(
      `Cannot load model as model.maxLength must be at most the encoder's ${config.maxPositions} ` +
        `positions: current value is ${maxLength}`,
    );
  }
}
