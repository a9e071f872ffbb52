/**
 * The shape of a BERT encoder, read from and written to a checkpoint's `config.json` with the keys of
 * Hugging Face transformers 4.57.1 (`BertConfig`).
 * @module
 */
import { readJson } from "@/files.ts";

/** What a BERT encoder is made of. */
export type BertConfig = {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly attentionHeads: number;
  readonly intermediateSize: number;
  /** Longest input in word pieces. */
  readonly maxPositions: number;
  /** Rows of the token type table; this project uses type 0 alone. */
  readonly typeVocabularySize: number;
  readonly layerNormEpsilon: number;
  /** Standard deviation of fresh weights. */
  readonly initializerRange: number;
  readonly padId: number;
  /** Dropout rates that the checkpoint was made with; a run's own configuration overrides them. */
  readonly dropout: { readonly hidden: number; readonly attention: number };
};

/** Heads that Hugging Face puts on the encoder; their weights are left aside on loading. */
const ARCHITECTURES = [
  "BertModel",
  "BertForPreTraining",
  "BertForMaskedLM",
  "BertForNextSentencePrediction",
  "BertForSequenceClassification",
  "BertForTokenClassification",
  "BertForMultipleChoice",
  "BertForQuestionAnswering",
];

/** More than any encoder has: a larger number is damage, and its list of tensors would fill memory. */
export const MOST_LAYERS = 1024;

/** What a size may be; `fallback` where it is left out. */
type SizeRule = { readonly fallback?: number; readonly most?: number };

/** Reads `config.json` in `folder`. */
export async function readBertConfig(folder: string): Promise<BertConfig> {
  const path = `${folder}/config.json`;
  return parseBertConfig(await readJson(path, "model configuration"), path);
}

/**
 * Checks the parsed `config.json` of a checkpoint; `path` names it in errors.
 *
 * @throws {RangeError} naming file, key, what is wanted and what is there
 */
export function parseBertConfig(json: unknown, path: string): BertConfig {
  const fail = (key: string, wanted: string, present: unknown): never => {
    const shown = present === undefined ? "missing" : JSON.stringify(present);
    throw new RangeError(
      `Cannot load model as "${key}" in ${path} must be ${wanted}: current value is ${shown}`,
    );
  };
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new RangeError(`Cannot load model as ${path} must be a JSON object`);
  }
  const given = json as { readonly [key: string]: unknown };

  /** A value that may be left out, but is supported only as `wanted`. */
  const requireOnly = (key: string, wanted: unknown): void => {
    if ((given[key] ?? wanted) !== wanted) fail(key, JSON.stringify(wanted), given[key]);
  };
  const size = (key: string, { fallback, most = 2 ** 31 - 1 }: SizeRule = {}): number => {
    const value = given[key] ?? fallback;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > most) {
      return fail(
        key,
        most < 2 ** 31 - 1 ? `a whole number from 1 to ${most}` : "a whole number from 1",
        value,
      );
    }
    return value;
  };
  const real = (
    key: string,
    fallback: number,
    wanted: string,
    isRight: (x: number) => boolean,
  ): number => {
    const value = given[key] ?? fallback;
    return typeof value === "number" && isRight(value) ? value : fail(key, wanted, value);
  };

  if (given.model_type !== "bert") fail("model_type", '"bert"', given.model_type);
  const architectures = given.architectures ?? ["BertModel"];
  if (!Array.isArray(architectures) || !architectures.every((a) => ARCHITECTURES.includes(a))) {
    fail("architectures", `among ${ARCHITECTURES.join(", ")}`, architectures);
  }
  requireOnly("hidden_act", "gelu");
  requireOnly("position_embedding_type", "absolute");
  requireOnly("is_decoder", false);
  requireOnly("add_cross_attention", false);

  const hiddenSize = size("hidden_size");
  const attentionHeads = size("num_attention_heads");
  if (hiddenSize % attentionHeads !== 0) {
    fail("hidden_size", `a multiple of num_attention_heads (${attentionHeads})`, hiddenSize);
  }
  const vocabularySize = size("vocab_size");
  const isRate = (x: number) => x >= 0 && x < 1;
  return {
    vocabularySize,
    hiddenSize,
    layers: size("num_hidden_layers", { most: MOST_LAYERS }),
    attentionHeads,
    intermediateSize: size("intermediate_size"),
    maxPositions: size("max_position_embeddings"),
    typeVocabularySize: size("type_vocab_size", { fallback: 2 }),
    layerNormEpsilon: real("layer_norm_eps", 1e-12, "above 0", (x) => x > 0 && x < 1),
    initializerRange: real("initializer_range", 0.02, "above 0", (x) => x > 0 && x < Infinity),
    padId: real(
      "pad_token_id",
      0,
      `a whole number below vocab_size (${vocabularySize})`,
      (x) => Number.isInteger(x) && x >= 0 && x < vocabularySize,
    ),
    dropout: {
      hidden: real("hidden_dropout_prob", 0.1, "in [0, 1)", isRate),
      attention: real("attention_probs_dropout_prob", 0.1, "in [0, 1)", isRate),
    },
  };
}

/**
 * Refuses an encoder without a row for each of its tokenizer's `tokens`: looking one up would fail at the first text
 * that holds such a token. `folder` names the model in the error.
 */
export function requireTokenRows(
  { vocabularySize }: Pick<BertConfig, "vocabularySize">,
  tokens: number,
  folder: string,
): void {
  if (tokens <= vocabularySize) return;
  throw new RangeError(
    `Cannot load model as the tokenizer in ${folder} has ${tokens} tokens and the encoder's embedding table only ` +
      `${vocabularySize} rows: use the tokenizer that the encoder was trained with, or save the model anew after ` +
      "resize_token_embeddings",
  );
}

/** The `config.json` that transformers' `BertModel` loads, the inverse of {@link parseBertConfig}. */
export function formatBertConfig(config: BertConfig): { readonly [key: string]: unknown } {
  return {
    architectures: ["BertModel"],
    attention_probs_dropout_prob: config.dropout.attention,
    hidden_act: "gelu",
    hidden_dropout_prob: config.dropout.hidden,
    hidden_size: config.hiddenSize,
    initializer_range: config.initializerRange,
    intermediate_size: config.intermediateSize,
    layer_norm_eps: config.layerNormEpsilon,
    max_position_embeddings: config.maxPositions,
    model_type: "bert",
    num_attention_heads: config.attentionHeads,
    num_hidden_layers: config.layers,
    pad_token_id: config.padId,
    position_embedding_type: "absolute",
    torch_dtype: "float32",
    type_vocab_size: config.typeVocabularySize,
    vocab_size: config.vocabularySize,
  };
}
