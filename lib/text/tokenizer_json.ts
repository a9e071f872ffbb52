/**
 * What a BERT tokenizer.json says, checked: normaliser, vocabulary and special pieces.
 * @module
 */

import { buildTokenizerConfig } from "@/text/bert_tokenizer_json.ts";
import type { NormalizerOptions } from "@/text/pre_tokenize.ts";

/** Ids of the special pieces that the model needs. */
export type SpecialIds = {
  readonly pad: number;
  readonly cls: number;
  readonly sep: number;
  readonly unk: number;
};

/** A checked tokenizer.json. V pieces. */
export type TokenizerJson = {
  readonly json: Record<string, unknown>;
  readonly config: Record<string, unknown>;
  /** The field `model` of `json`, what it leaves out filled in. */
  readonly model: Record<string, unknown>;
  readonly normalizer: NormalizerOptions;
  /** [V] the piece of each id; "" where an id is not used. */
  readonly pieces: readonly string[];
  /** [V] code points that each piece covers, without its "##". */
  readonly lengths: readonly number[];
  readonly ids: SpecialIds;
  /** Special tokens by their text; they are recognised in raw text too. */
  readonly specials: ReadonlyMap<string, number>;
};

/** More than any vocabulary has; a larger id is damage, and a table up to it would fill memory. */
const MOST_PIECES = 2 ** 22;

/** A field that must hold an object. */
function objectOf(value: unknown, what: string, from: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new TypeError(
    `Cannot read tokenizer as ${what} of ${from} must be an object: ${typeName(value)}`,
  );
}

function typeName(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
}

/** A part of tokenizer.json that must be of one type. */
function partOf(json: Record<string, unknown>, field: string, type: string, from: string) {
  const part = objectOf(json[field], `"${field}"`, from);
  const found = part["type"] ?? (field === "model" ? type : undefined); // old files leave it out
  if (found === type) return part;
  throw new TypeError(
    `Cannot read tokenizer as "${field}" of ${from} must be ${type}: current type is ${found}`,
  );
}

/**
 * Checks the content of a tokenizer.json; `config` may be null, then one is made from it.
 *
 * @param from names the source in errors.
 */
export function readTokenizerJson(json: unknown, config: unknown, from: string): TokenizerJson {
  const root = objectOf(json, "the content", from);
  const settings = config === null ? null : objectOf(config, "the configuration", from);
  const normalizer = {
    ...partOf(root, "normalizer", "BertNormalizer", from),
    ...overrideNormalizer(settings),
  };
  partOf(root, "pre_tokenizer", "BertPreTokenizer", from);
  const model = partOf(root, "model", "WordPiece", from);
  const prefix = String(model["continuing_subword_prefix"] ?? "##");
  const unknown = String(model["unk_token"] ?? "[UNK]");
  const pieces: string[] = [], lengths: number[] = [];
  for (const [piece, id] of Object.entries(objectOf(model["vocab"], `"model.vocab"`, from))) {
    const place = checkId(id, piece, from);
    pieces[place] = piece;
    lengths[place] = [...piece].length - (piece.startsWith(prefix) ? [...prefix].length : 0);
  }
  const specials = readSpecials(root, from);
  for (const [text, id] of specials) [pieces[id], lengths[id]] = [text, [...text].length];
  for (let id = 0; id < pieces.length; id++) pieces[id] ??= "";

  const lowercase = normalizer["lowercase"] !== false;
  return {
    json: { ...root, added_tokens: root["added_tokens"] ?? [], normalizer },
    model: { ...model, type: "WordPiece", continuing_subword_prefix: prefix, unk_token: unknown },
    config: settings ?? buildTokenizerConfig(lowercase),
    normalizer: {
      cleanText: normalizer["clean_text"] !== false,
      spaceOutCjk: normalizer["handle_chinese_chars"] !== false,
      stripAccents: Boolean(normalizer["strip_accents"] ?? lowercase),
      lowercase,
    },
    pieces,
    lengths,
    ids: findSpecialIds(pieces, unknown, from),
    specials,
  };
}

/** An id as a place in the table of pieces. */
function checkId(id: unknown, piece: unknown, from: string): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < MOST_PIECES) return id;
  throw new TypeError(
    `Cannot read tokenizer as piece ${JSON.stringify(piece)} of ${from} must have a whole number ` +
      `from 0 to ${MOST_PIECES - 1} as id: current value is ${JSON.stringify(id) ?? "missing"}`,
  );
}

/** What the configuration says of the normaliser; it wins over tokenizer.json, as in Python. */
function overrideNormalizer(config: Record<string, unknown> | null): Record<string, unknown> {
  const names = {
    do_lower_case: "lowercase",
    strip_accents: "strip_accents",
    tokenize_chinese_chars: "handle_chinese_chars",
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, field]) =>
      config !== null && name in config ? [[field, config[name]]] : []
    ),
  );
}

/** The added tokens, all of which must be plain special ones. */
function readSpecials(root: Record<string, unknown>, from: string): Map<string, number> {
  const added = root["added_tokens"] ?? [];
  if (!Array.isArray(added)) {
    throw new TypeError(
      `Cannot read tokenizer as "added_tokens" of ${from} must be an array: ${typeName(added)}`,
    );
  }
  return new Map(added.map((item: unknown) => {
    const token = objectOf(item, `an item of "added_tokens"`, from);
    const odd = ["normalized", "lstrip", "rstrip", "single_word"].find((name) =>
      token[name] === true
    );
    const { id, content } = token;
    if (typeof content !== "string" || content === "") {
      throw new TypeError(
        `Cannot read tokenizer as added token ${
          JSON.stringify(id)
        } of ${from} must have a text as ` +
          `"content": current value is ${JSON.stringify(content) ?? "missing"}`,
      );
    }
    if (odd === undefined) return [content, checkId(id, content, from)];
    throw new TypeError(
      `Cannot read tokenizer as added token ${JSON.stringify(content)} of ${from} must ` +
        `not be "${odd}": current value is true`,
    );
  }));
}

/** Finds [PAD], [CLS], [SEP] and the unknown piece. */
function findSpecialIds(pieces: readonly string[], unknown: string, from: string): SpecialIds {
  const find = (piece: string) => {
    const id = pieces.indexOf(piece);
    if (id >= 0) return id;
    throw new RangeError(
      `Cannot read tokenizer as the vocabulary of ${from} must hold ${piece}: ` +
        `none of its ${pieces.length} pieces is`,
    );
  };
  return { pad: find("[PAD]"), cls: find("[CLS]"), sep: find("[SEP]"), unk: find(unknown) };
}
