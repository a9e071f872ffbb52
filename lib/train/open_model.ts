/**
 * The model that a run begins with: a checkpoint's encoder, or a fresh one over a vocabulary learned from
 * the run's own training rows; heads are always fresh.
 * @module
 */
import type { ModelConfig, RunConfig } from "@/config.ts";
import { type Row, textOfRow } from "@/data/rows.ts";
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

/** Makes the model of a run; `rows` are the training rows of all its tasks. */
export async function openModel(
  { model: config, tasks, seed }: Pick<RunConfig, "model" | "tasks" | "seed">,
  rows: Iterable<Row>,
  options: { readonly view?: ProgressView } = {},
): Promise<OpenedModel> {
  const { encoder, tokenizer } = config.source === null
    ? makeFresh(config, rows, seed)
    : await openCheckpoint(config.source, options);
  try {
    checkSizes(encoder, { tokenizer, maxLength: config.maxLength });
    const { pooling, embeddingSize, normalize } = config;
    const model = createModel(encoder, { tasks, pooling, embeddingSize, normalize, seed });
    return { model, tokenizer };
  } catch (error) {
    disposeEncoder(encoder);
    throw error;
  }
}

function makeFresh({ fresh, dropout }: ModelConfig, rows: Iterable<Row>, seed: number) {
  const texts = Array.from(rows, textOfRow);
  const learned = learnVocabulary(texts, { size: fresh.vocabularySize, lowercase: true });
  const tokenizer = tokenizerFromJson(learned.json, learned.config, "the learned vocabulary");
  const encoder = createEncoder({
    ...fresh,
    vocabularySize: tokenizer.vocabularySize,
    typeVocabularySize: 2, // this and the next two as in BERT
    layerNormEpsilon: 1e-12,
    initializerRange: 0.02,
    padId: tokenizer.ids.pad,
    dropout: { hidden: dropout.hidden, attention: dropout.attention },
  }, { seed });
  return { encoder, tokenizer };
}

async function openCheckpoint(source: string, options: { readonly view?: ProgressView }) {
  const found = await findModelFolder(source, options);
  const folder = (await readSentenceModules(found))?.encoderFolder ?? found;
  const tokenizer = await loadTokenizer(folder); // before the weights, which take longer to load
  const { encoder } = await loadEncoder(folder);
  return { encoder, tokenizer };
}

/** A checkpoint must have a row for every piece and a position for every place. */
function checkSizes(
  { config }: Encoder,
  { tokenizer, maxLength }: { readonly tokenizer: Tokenizer; readonly maxLength: number },
): void {
  if (tokenizer.vocabularySize > config.vocabularySize) {
    throw new RangeError(
      `Cannot load model as its embeddings must have a row for each of the tokenizer's ` +
        `${tokenizer.vocabularySize} pieces: current number is ${config.vocabularySize}`,
    );
  }
  if (maxLength > config.maxPositions) {
    throw new RangeError(
      `Cannot load model as model.maxLength must be at most the encoder's ${config.maxPositions} ` +
        `positions: current value is ${maxLength}`,
    );
  }
}
