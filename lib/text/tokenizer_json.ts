/**
 * Validates the files of a BERT tokenizer and reads its normalizer, vocabulary and special tokens.
 *
 * The rules are those of `AutoTokenizer` in transformers 5.24. `BertTokenizer` reads only the vocabulary and the
 * added tokens from tokenizer.json. Its normalizer is given by `do_lower_case`, `strip_accents` and
 * `tokenize_chinese_chars` in tokenizer_config.json (defaults: true, null, true); the normalizer in tokenizer.json
 * is ignored. `PreTrainedTokenizerFast` and its other names use tokenizer.json unchanged.
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
  placeSpecials,
  readNames,
  requireObject,
  type SpecialIds,
  typeName,
} from "@/text/special_tokens.ts";

/** A validated tokenizer.json with V tokens. */
export type TokenizerJson = {
  /** tokenizer.json after the rules are applied, so that every library produces the same ids from it. */
  readonly json: Record<string, unknown>;
  readonly config: Record<string, unknown>;
  /** The field `model` of `json`, with defaults filled in. */
  readonly model: Record<string, unknown>;
  readonly normalizer: NormalizerOptions;
  /** [V] the text of each token; "" if an id is not used. */
  readonly tokens: readonly string[];
  /** [V] number of code points of each token, without "##". */
  readonly lengths: readonly number[];
  readonly ids: SpecialIds;
  /** Ids of the special tokens by their text. They are also recognized in raw text. */
  readonly specials: ReadonlyMap<string, number>;
};

/** Classes of transformers 5.24 that rebuild BERT's tokenizer from the vocabulary; the suffix `Fast` is optional. */
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

/** Classes that use tokenizer.json unchanged; the suffix `Fast` is optional. */
const FILE_CLASSES = [
  "PreTrainedTokenizer",
  "TokenizersBackend",
  "PythonBackend",
  "ConvBertTokenizer",
  "RetriBertTokenizer",
];

/** Returns a field of tokenizer.json if its type is `wanted`, else throws. `advice` is appended to the error. */
function requireType(
  part: unknown,
  field: string,
  wanted: string,
  from: string,
  advice = "",
): JsonObject {
  const type = part === null || part === undefined
    ? typeName(part)
    : requireObject(part, `"${field}"`, from)["type"];
  if (type === wanted) return part as JsonObject;
  throw new TypeError(
    `Cannot read tokenizer: "${field}" of ${from} must be ${wanted}, but is ${
      type ?? "missing"
    }${advice}`,
  );
}

const OTHER_MODEL = ". Choose a checkpoint with BERT's own tokenizer";

/** Reads the field `model`, which must be WordPiece. Old files omit its type. */
function readModel(root: JsonObject, from: string): JsonObject {
  const { model } = root;
  if (model === null || model === undefined || (model as JsonObject)["type"] !== undefined) {
    return requireType(model, "model", "WordPiece", from, OTHER_MODEL);
  }
  const { vocab, merges } = requireObject(model, '"model"', from);
  const type = Array.isArray(vocab) ? "Unigram" : merges !== undefined ? "BPE" : "WordPiece";
  return requireType({ ...model as JsonObject, type }, "model", "WordPiece", from, OTHER_MODEL);
}

/** True if the tokenizer's class rebuilds BERT's tokenizer; false if it uses tokenizer.json unchanged. */
function isBertClass(settings: JsonObject, from: string): boolean {
  const given = settings["tokenizer_class"] ?? "BertTokenizer";
  const name = typeof given === "string" ? given.replace(/Fast$/, "") : "";
  if (BERT_CLASSES.includes(name)) return true;
  if (FILE_CLASSES.includes(name)) return false;
  throw new RangeError(
    `Cannot read tokenizer: "tokenizer_class" in tokenizer_config.json (or config.json) beside ${from} must be ` +
      `BertTokenizer, one of its aliases, or PreTrainedTokenizerFast, but is ${
        JSON.stringify(given)
      }`,
  );
}

/** Builds the normalizer of `BertTokenizer` from tokenizer_config.json. */
function buildNormalizer(settings: JsonObject, from: string): BertNormalizerJson {
  const read = <T>(key: string, missing: boolean | T, also: readonly T[]): boolean | T => {
    const value = settings[key];
    if (value === undefined) return missing;
    if (typeof value === "boolean" || also.includes(value as T)) return value as boolean | T;
    throw new TypeError(
      `Cannot read tokenizer: "${key}" in tokenizer_config.json beside ${from} must be ${
        ["true", "false", ...also.map(String)].join(" or ")
      }, but is ${JSON.stringify(value)}`,
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

/** Throws if the tokenizer truncates long texts at the start. Only truncation at the end is supported. */
function requireRightTruncation(settings: JsonObject, root: JsonObject, from: string): void {
  const given = settings["truncation_side"] ?? null;
  const { direction = null } = (root["truncation"] ?? {}) as JsonObject;
  const [key, side, right] = given === null
    ? [`"truncation.direction" of ${from}`, direction, "Right"]
    : [`"truncation_side" in tokenizer_config.json beside ${from}`, given, "right"];
  if (side === null || side === right) return;
  throw new RangeError(
    `Cannot read tokenizer: ${key} must be "${right}", but is ${
      JSON.stringify(side)
    }. Only truncation at the end is supported`,
  );
}

/** Reads the normalizer of tokenizer.json. */
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

/** Throws if an unchanged tokenizer.json does not add [CLS] before a text and [SEP] after it. */
function requireTemplate(root: JsonObject, { cls, sep }: SpecialNames, from: string): void {
  const processor = root["post_processor"];
  if (processor === null || processor === undefined) {
    throw new TypeError(
      `Cannot read tokenizer: "post_processor" of ${from} must put ${cls} before a text and ${sep} after it, ` +
        `but is ${typeName(processor)}`,
    );
  }
  const { type, single, cls: first, sep: last } = requireObject(
    processor,
    `"post_processor"`,
    from,
  );
  if (type === "BertProcessing") {
    if (Array.isArray(first) && first[0] === cls && Array.isArray(last) && last[0] === sep) return;
  } else requireType(processor, "post_processor", "TemplateProcessing", from);
  const parts = (Array.isArray(single) ? single : []).map((part: JsonObject | null) =>
    (part?.["SpecialToken"] as JsonObject | undefined)?.["id"] ?? (part?.["Sequence"] && 0)
  );
  if (parts.length === 3 && parts[0] === cls && parts[1] === 0 && parts[2] === sep) return;
  throw new TypeError(
    `Cannot read tokenizer: "post_processor" of ${from} must put ${cls} before a text and ${sep} after it, ` +
      `but adds other tokens`,
  );
}

/**
 * Validates the contents of tokenizer.json and tokenizer_config.json; `config` is null if the latter is missing.
 *
 * @param from path of tokenizer.json, for errors.
 */
export function readTokenizerJson(json: unknown, config: unknown, from: string): TokenizerJson {
  const root = requireObject(json, "the content", from);
  // first, since an error about another field of an unsupported model would not help
  const given = readModel(root, from);
  const settings = config === null ? {} : requireObject(config, "the configuration", from);
  const isBert = isBertClass(settings, from);
  requireRightTruncation(settings, root, from);
  const named = readNames(settings, from);
  const names = isBert ? named : { ...named, unk: String(given["unk_token"] ?? "[UNK]") };
  const normalizer = isBert ? buildNormalizer(settings, from) : readNormalizer(root, from);
  if (!isBert) {
    requireType(root["pre_tokenizer"], "pre_tokenizer", "BertPreTokenizer", from);
    requireTemplate(root, names, from);
  }
  const prefix = isBert ? "##" : String(given["continuing_subword_prefix"] ?? "##");
  const vocab = requireObject(given["vocab"], `"model.vocab"`, from);
  const tokens: string[] = [], lengths: number[] = [];
  for (const [token, id] of Object.entries(vocab)) {
    const place = checkId(id, token, from);
    tokens[place] = token;
    lengths[place] = [...token].length - (token.startsWith(prefix) ? [...prefix].length : 0);
  }
  const specials = placeSpecials(listSpecials(root, { settings, isBert, names }, from), vocab);
  for (const [text, id] of specials) [tokens[id], lengths[id]] = [text, [...text].length];
  for (let id = 0; id < tokens.length; id++) tokens[id] ??= "";

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
    tokens,
    lengths,
    ids: findSpecialIds(tokens, names, from),
    specials,
  };
}
