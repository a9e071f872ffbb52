/**
 * What the files of a BERT tokenizer say, checked: normalizer, vocabulary and special tokens.
 *
 * The rules are those of `AutoTokenizer` in transformers 5.24. Its `BertTokenizer` takes the vocabulary and the
 * added tokens of tokenizer.json alone: the normalizer follows `do_lower_case`, `strip_accents` and
 * `tokenize_chinese_chars` of tokenizer_config.json, which are true, null and true where they are missing, whatever
 * the normalizer in tokenizer.json says. `PreTrainedTokenizerFast` and its other names take tokenizer.json as it is.
 * @module
 */

import {
  type BertNormalizerJson,
  buildBertFields,
  buildTokenizerConfig,
  formatAddedTokens,
  type SpecialNames,
} from "@/text/bert_tokenizer_json.ts";
import type { NormalizerOptions } from "@/text/pre_tokenize.ts";
import {
  checkId,
  findSpecialIds,
  type JsonObject,
  listSpecials,
  objectOf,
  placeSpecials,
  readNames,
  type SpecialIds,
  typeName,
} from "@/text/special_tokens.ts";

/** A checked tokenizer.json. V tokens. */
export type TokenizerJson = {
  /** What tokenizer.json says once the rules are applied: every reader gives the same ids. */
  readonly json: Record<string, unknown>;
  readonly config: Record<string, unknown>;
  /** The field `model` of `json`, what it leaves out filled in. */
  readonly model: Record<string, unknown>;
  readonly normalizer: NormalizerOptions;
  /** [V] the token of each id; "" where an id is not used. */
  readonly pieces: readonly string[];
  /** [V] code points that each token covers, without its "##". */
  readonly lengths: readonly number[];
  readonly ids: SpecialIds;
  /** Special tokens by their text; they are recognized in raw text too. */
  readonly specials: ReadonlyMap<string, number>;
};

/** Classes of transformers 5.24 that build BERT's tokenizer anew from the vocabulary; `Fast` may follow. */
const BERT_CLASSES = [
  "BertTokenizer",
  "DistilBertTokenizer",
  "ElectraTokenizer",
  "MobileBertTokenizer",
  "SqueezeBertTokenizer",
  "LayoutLMTokenizer",
  "LxmertTokenizer",
  "DPRQuestionEncoderTokenizer",
  "DPRContextEncoderTokenizer",
];

/** Classes that take tokenizer.json as it is; `Fast` may follow. */
const FILE_CLASSES = [
  "PreTrainedTokenizer",
  "TokenizersBackend",
  "PythonBackend",
  "ConvBertTokenizer",
  "RetriBertTokenizer",
];

/** Refuses a part of tokenizer.json that is of another type than `wanted`; `advice` ends the sentence. */
function requireType(
  part: unknown,
  field: string,
  wanted: string,
  from: string,
  advice = "",
): JsonObject {
  const type = part === null || part === undefined
    ? typeName(part)
    : objectOf(part, `"${field}"`, from)["type"];
  if (type === wanted) return part as JsonObject;
  throw new TypeError(
    `Cannot read tokenizer as "${field}" of ${from} must be ${wanted}: current type is ${
      type ?? "missing"
    }${advice}`,
  );
}

const OTHER_MODEL = "; choose a checkpoint with BERT's own tokenizer";

/** The field `model`, which must be WordPiece; old files leave its type out. */
function readModel(root: JsonObject, from: string): JsonObject {
  const { model } = root;
  if (model === null || model === undefined || (model as JsonObject)["type"] !== undefined) {
    return requireType(model, "model", "WordPiece", from, OTHER_MODEL);
  }
  const { vocab, merges } = objectOf(model, '"model"', from);
  const type = Array.isArray(vocab) ? "Unigram" : merges !== undefined ? "BPE" : "WordPiece";
  return requireType({ ...model as JsonObject, type }, "model", "WordPiece", from, OTHER_MODEL);
}

/** True where the class of the tokenizer builds BERT's own; false where it takes tokenizer.json as it is. */
function isBertClass(settings: JsonObject, from: string): boolean {
  const given = settings["tokenizer_class"] ?? "BertTokenizer";
  const name = typeof given === "string" ? given.replace(/Fast$/, "") : "";
  if (BERT_CLASSES.includes(name)) return true;
  if (FILE_CLASSES.includes(name)) return false;
  throw new RangeError(
    `Cannot read tokenizer as "tokenizer_class" in tokenizer_config.json (or config.json) beside ${from} must be ` +
      `BertTokenizer, another name of it, or PreTrainedTokenizerFast: current value is ${
        JSON.stringify(given)
      }`,
  );
}

/** The normalizer that `BertTokenizer` builds from tokenizer_config.json. */
function buildNormalizer(settings: JsonObject, from: string): BertNormalizerJson {
  const read = <T>(key: string, missing: boolean | T, also: readonly T[]): boolean | T => {
    const value = settings[key];
    if (value === undefined) return missing;
    if (typeof value === "boolean" || also.includes(value as T)) return value as boolean | T;
    throw new TypeError(
      `Cannot read tokenizer as "${key}" in tokenizer_config.json beside ${from} must be ${
        ["true", "false", ...also.map(String)].join(" or ")
      }: current value is ${JSON.stringify(value)}`,
    );
  };
  return {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: read<never>("tokenize_chinese_chars", true, []),
    strip_accents: read<null>("strip_accents", null, [null]),
    lowercase: read<never>("do_lower_case", true, []),
  };
}

/** The normalizer that tokenizer.json holds. */
function readNormalizer(root: JsonObject, from: string): BertNormalizerJson {
  const part = requireType(root["normalizer"], "normalizer", "BertNormalizer", from);
  return {
    type: "BertNormalizer",
    clean_text: part["clean_text"] !== false,
    handle_chinese_chars: part["handle_chinese_chars"] !== false,
    strip_accents: typeof part["strip_accents"] === "boolean" ? part["strip_accents"] : null,
    lowercase: part["lowercase"] !== false,
  };
}

/** Refuses a tokenizer.json, taken as it is, that does not put [CLS] before a text and [SEP] after it. */
function requireTemplate(root: JsonObject, { cls, sep }: SpecialNames, from: string): void {
  const processor = root["post_processor"];
  if (processor === null || processor === undefined) {
    throw new TypeError(
      `Cannot read tokenizer as "post_processor" of ${from} must put ${cls} before a text and ${sep} after it: ` +
        `it is ${typeName(processor)}`,
    );
  }
  const { type, single, cls: first, sep: last } = objectOf(processor, `"post_processor"`, from);
  if (type === "BertProcessing") {
    if (Array.isArray(first) && first[0] === cls && Array.isArray(last) && last[0] === sep) return;
  } else requireType(processor, "post_processor", "TemplateProcessing", from);
  const parts = (Array.isArray(single) ? single : []).map((part: JsonObject | null) =>
    (part?.["SpecialToken"] as JsonObject | undefined)?.["id"] ?? (part?.["Sequence"] && 0)
  );
  if (parts.length === 3 && parts[0] === cls && parts[1] === 0 && parts[2] === sep) return;
  throw new TypeError(
    `Cannot read tokenizer as "post_processor" of ${from} must put ${cls} before a text and ${sep} after it: ` +
      `it puts others`,
  );
}

/**
 * Checks the contents of tokenizer.json and tokenizer_config.json; `config` is null where the second is missing.
 *
 * @param from names the first in errors.
 */
export function readTokenizerJson(json: unknown, config: unknown, from: string): TokenizerJson {
  const root = objectOf(json, "the content", from);
  const given = readModel(root, from); // of another model nothing else is worth a complaint
  const settings = config === null ? {} : objectOf(config, "the configuration", from);
  const isBert = isBertClass(settings, from);
  const named = readNames(settings, from);
  const names = isBert ? named : { ...named, unk: String(given["unk_token"] ?? "[UNK]") };
  const normalizer = isBert ? buildNormalizer(settings, from) : readNormalizer(root, from);
  if (!isBert) {
    requireType(root["pre_tokenizer"], "pre_tokenizer", "BertPreTokenizer", from);
    requireTemplate(root, names, from);
  }
  const prefix = isBert ? "##" : String(given["continuing_subword_prefix"] ?? "##");
  const vocab = objectOf(given["vocab"], `"model.vocab"`, from);
  const pieces: string[] = [], lengths: number[] = [];
  for (const [piece, id] of Object.entries(vocab)) {
    const place = checkId(id, piece, from);
    pieces[place] = piece;
    lengths[place] = [...piece].length - (piece.startsWith(prefix) ? [...prefix].length : 0);
  }
  const specials = placeSpecials(listSpecials(root, { settings, isBert, names }, from), vocab);
  for (const [text, id] of specials) [pieces[id], lengths[id]] = [text, [...text].length];
  for (let id = 0; id < pieces.length; id++) pieces[id] ??= "";

  const fields = isBert
    ? buildBertFields({ vocab, names, normalizer, specials })
    : { added_tokens: formatAddedTokens(specials), normalizer };
  const { lowercase } = normalizer;
  return {
    json: { ...root, ...fields },
    model: {
      ...given,
      ...(isBert ? fields["model"] as JsonObject : {}),
      type: "WordPiece",
      continuing_subword_prefix: prefix,
      unk_token: names.unk,
    },
    config: config === null ? buildTokenizerConfig(lowercase) : isBert
      ? {
        tokenizer_class: "BertTokenizer",
        do_lower_case: lowercase,
        tokenize_chinese_chars: normalizer.handle_chinese_chars,
        strip_accents: normalizer.strip_accents,
        ...settings,
      }
      : settings,
    normalizer: {
      cleanText: normalizer.clean_text,
      spaceOutCjk: normalizer.handle_chinese_chars,
      stripAccents: normalizer.strip_accents ?? lowercase,
      lowercase,
    },
    pieces,
    lengths,
    ids: findSpecialIds(pieces, names, from),
    specials,
  };
}
