/**
 * The configuration of a BERT encoder, read from and written to a checkpoint's `config.json` with the keys of
 * Hugging Face transformers 4.57.1 (`BertConfig`).
 * @module
 */
import { readJson } from "@/system/files.ts";

/** Sizes and constants of a BERT encoder. */
export type BertConfig = {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly attentionHeads: number;
  readonly intermediateSize: number;
  /** Longest input in tokens. */
  readonly maxPositions: number;
  /** Rows of the token type table. Only type 0 is used here. */
  readonly typeVocabularySize: number;
  readonly layerNormEpsilon: number;
  /** Standard deviation of randomly initialized weights. */
  readonly initializerRange: number;
  readonly padId: number;
  /** Dropout rates with which the checkpoint was trained. A run's own configuration overrides them. */
  readonly dropout: { readonly hidden: number; readonly attention: number };
};

/** Supported architectures. Only the encoder is loaded; the weights of their heads are ignored. */
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

/** Upper bound of the number of layers. A larger number means a damaged file, and its list of tensors would exhaust memory. */
const MAX_LAYERS = 1024;

/** Largest allowed value of a size, and its default if the key is missing. */
type SizeRule = { readonly fallback?: number; readonly most?: number };

/** Reads `config.json` in `folder`. */
export async function readBertConfig(folder: string): Promise<BertConfig> {
  const path = `${folder}/config.json`;
  return parseBertConfig(await readJson(path, "model configuration"), path);
}

/**
 * Validates the parsed `config.json` of a checkpoint; `path` is its path in errors.
 *
 * @throws {RangeError} with file, key, expected and actual value
 */
export function parseBertConfig(json: unknown, path: string): BertConfig {
  const fail = (key: string, wanted: string, present: unknown): never => {
    const shown = present === undefined ? "missing" : JSON.stringify(present);
    throw new RangeError(
      `Cannot load model: "${key}" in ${path} must be ${wanted}, but is ${shown}`,
    );
  };
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new RangeError(`Cannot load model: ${path} must contain a JSON object`);
  }
  const given = json as { readonly [key: string]: unknown };

  /** Checks a key of which only one value is supported. It may be missing. */
  const requireOnly = (key: string, wanted: unknown): void => {
    if ((given[key] ?? wanted) !== wanted) fail(key, JSON.stringify(wanted), given[key]);
  };
  const size = (key: string, { fallback, most = 2 ** 31 - 1 }: SizeRule = {}): number => {
    const value = given[key] ?? fallback;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > most) {
      return fail(
        key,
        most < 2 ** 31 - 1 ? `an integer from 1 to ${most}` : "a positive integer",
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
    layers: size("num_hidden_layers", { most: MAX_LAYERS }),
    attentionHeads,
    intermediateSize: size("intermediate_size"),
    maxPositions: size("max_position_embeddings"),
    typeVocabularySize: size("type_vocab_size", { fallback: 2 }),
    layerNormEpsilon: real("layer_norm_eps", 1e-12, "above 0", (x) => x > 0 && x < 1),
    initializerRange: real("initializer_range", 0.02, "above 0", (x) => x > 0 && x < Infinity),
    padId: real(
      "pad_token_id",
      0,
      `a non-negative integer below vocab_size (${vocabularySize})`,
      (x) => Number.isInteger(x) && x >= 0 && x < vocabularySize,
    ),
    dropout: {
      hidden: real("hidden_dropout_prob", 0.1, "in [0, 1)", isRate),
      attention: real("attention_probs_dropout_prob", 0.1, "in [0, 1)", isRate),
    },
  };
}

/**
 * Throws if the embedding table has fewer rows than the tokenizer has `tokens`. Otherwise encoding would fail at the
 * first text with such a token. `folder` is the model's path in the error.
 */
export function requireTokenRows(
  { vocabularySize }: Pick<BertConfig, "vocabularySize">,
  tokens: number,
  folder: string,
): void {
  if (tokens <= vocabularySize) return;
  throw new RangeError(
    `Cannot load model: the tokenizer in ${folder} has ${tokens} tokens, but the encoder's embedding table has only ` +
      `${vocabularySize} rows. Use the tokenizer that the encoder was trained with, or save the model again after ` +
      "resize_token_embeddings",
  );
}

/** Formats the `config.json` that transformers' `BertModel` loads; the inverse of {@link parseBertConfig}. */
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
