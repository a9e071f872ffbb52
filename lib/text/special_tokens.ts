/**
 * The special tokens of a tokenizer: their texts, by the files of a model folder, and their ids, as Hugging Face's
 * `tokenizers` gives them.
 * @module
 */

import { BERT_NAMES, type SpecialNames } from "@/text/bert_tokenizer_json.ts";

/** An object that came out of a file. */
export type JsonObject = Record<string, unknown>;

/** Ids of the special tokens that the model needs. */
export type SpecialIds = {
  readonly pad: number;
  readonly cls: number;
  readonly sep: number;
  readonly unk: number;
};

/** More than any vocabulary has; a larger id is damage, and a table up to it would fill memory. */
const MOST_PIECES = 2 ** 22;

/** A field that must hold an object. */
export function objectOf(value: unknown, what: string, from: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new TypeError(
    `Cannot read tokenizer as ${what} of ${from} must be an object: ${typeName(value)}`,
  );
}

export function typeName(value: unknown): string {
  return value === null
    ? "null"
    : Array.isArray(value)
    ? "an array"
    : value === undefined
    ? "missing"
    : typeof value;
}

/** An id as a place in the table of tokens. */
export function checkId(id: unknown, piece: unknown, from: string): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < MOST_PIECES) return id;
  throw new TypeError(
    `Cannot read tokenizer as token ${JSON.stringify(piece)} of ${from} must have an integer ` +
      `from 0 to ${MOST_PIECES - 1} as id: current value is ${JSON.stringify(id) ?? "missing"}`,
  );
}

/** The text of a token that is given as text, or as an object with its `content`. */
export function contentOf(token: unknown): unknown {
  return typeof token === "object" && token !== null ? (token as JsonObject)["content"] : token;
}

/** The special tokens by role, by tokenizer_config.json. */
export function readNames(settings: JsonObject, from: string): SpecialNames {
  const name = (role: keyof SpecialNames): string => {
    const text = contentOf(settings[`${role}_token`] ?? BERT_NAMES[role]);
    if (typeof text === "string" && text !== "") return text;
    throw new TypeError(
      `Cannot read tokenizer as "${role}_token" in tokenizer_config.json beside ${from} must be a text: ` +
        `current value is ${JSON.stringify(settings[`${role}_token`])}`,
    );
  };
  return {
    unk: name("unk"),
    sep: name("sep"),
    pad: name("pad"),
    cls: name("cls"),
    mask: name("mask"),
  };
}

/** The items of `added_tokens`, and those of `added_tokens_decoder`, which has them by id. */
function listDeclared(
  root: JsonObject,
  { settings, isBert }: { readonly settings: JsonObject; readonly isBert: boolean },
  from: string,
): readonly unknown[] {
  const added = root["added_tokens"] ?? [];
  if (!Array.isArray(added)) {
    throw new TypeError(
      `Cannot read tokenizer as "added_tokens" of ${from} must be an array: ${typeName(added)}`,
    );
  }
  const decoder = settings["added_tokens_decoder"];
  if (decoder === undefined) return added;
  const beside = `the tokenizer_config.json beside ${from}`;
  const others = Object.entries(objectOf(decoder, `"added_tokens_decoder"`, beside))
    .map(([id, token]) => ({
      ...objectOf(token, `an item of "added_tokens_decoder"`, beside),
      id: Number(id),
    }));
  return isBert ? others : [...added, ...others];
}

/** The texts of all special tokens, all of which must be plain, in the order in which Python adds them. */
export function listSpecials(
  root: JsonObject,
  options: {
    readonly settings: JsonObject;
    readonly isBert: boolean;
    readonly names: SpecialNames;
  },
  from: string,
): readonly { readonly text: string; readonly declared: boolean }[] {
  const declared = listDeclared(root, options, from).map((item) => {
    const token = objectOf(item, `an item of "added_tokens"`, from);
    const { id, content } = token;
    const text = plainText(token, from);
    return { text, id: checkId(id, content, from), declared: true };
  }).sort((a, b) => a.id - b.id);
  const { settings, isBert, names } = options;
  const more = settings["extra_special_tokens"] ?? settings["additional_special_tokens"];
  const extra = Array.isArray(more)
    ? more.map((item) => ({ text: plainText({ content: contentOf(item) }, from), declared: true }))
    : [];
  const roles = ["unk", "sep", "pad", "cls", "mask"] as const; // BertTokenizer alone has defaults for them
  const named = roles.filter((role) => isBert || settings[`${role}_token`] !== undefined)
    .map((role) => ({ text: names[role], declared: false }));
  return [...declared, ...named, ...extra];
}

/** The text of an added token, which must not ask for spaces to be taken or text to be normalized. */
function plainText(token: JsonObject, from: string): string {
  const { id, content } = token;
  if (typeof content !== "string" || content === "") {
    throw new TypeError(
      `Cannot read tokenizer as added token ${
        JSON.stringify(id) ?? ""
      } of ${from} must have a text as ` +
        `"content": current value is ${JSON.stringify(content) ?? "missing"}`,
    );
  }
  const odd = ["normalized", "lstrip", "rstrip", "single_word"].find((name) =>
    token[name] === true
  );
  if (odd === undefined) return content;
  throw new TypeError(
    `Cannot read tokenizer as added token ${JSON.stringify(content)} of ${from} must ` +
      `not be "${odd}": current value is true`,
  );
}

/**
 * Ids as `tokenizers` gives them: that of the vocabulary, else the next one after all others, whatever id the file
 * says. BERT's own special tokens are left out where neither the vocabulary nor the files have them.
 */
export function placeSpecials(
  tokens: readonly { readonly text: string; readonly declared: boolean }[],
  vocab: JsonObject,
): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  let next = Object.keys(vocab).length;
  for (const { text, declared } of tokens) {
    if (places.has(text)) continue;
    const id = Object.hasOwn(vocab, text) ? vocab[text] as number : declared ? next : null;
    if (id === null) continue;
    places.set(text, id);
    next = Math.max(next, id + 1);
  }
  return places;
}

/** Finds the tokens that every text needs. */
export function findSpecialIds(
  pieces: readonly string[],
  { pad, cls, sep, unk }: SpecialNames,
  from: string,
): SpecialIds {
  const find = (token: string) => {
    const id = pieces.indexOf(token);
    if (id >= 0) return id;
    throw new RangeError(
      `Cannot read tokenizer as the vocabulary of ${from} must hold ${token}: ` +
        `none of its ${pieces.length} tokens is`,
    );
  };
  return { pad: find(pad), cls: find(cls), sep: find(sep), unk: find(unk) };
}
