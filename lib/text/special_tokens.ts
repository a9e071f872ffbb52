/**
 * Special tokens of a tokenizer: their texts, from the files of a model folder, and their ids, as Hugging Face's
 * `tokenizers` assigns them.
 * @module
 */

import { BERT_NAMES, type SpecialNames } from "@/text/bert_tokenizer_json.ts";

/** An object parsed from a JSON file. */
export type JsonObject = Record<string, unknown>;

/** Ids of the special tokens that the model needs. */
export type SpecialIds = {
  readonly pad: number;
  readonly cls: number;
  readonly sep: number;
  readonly unk: number;
};

/** Upper bound of token ids. A larger id means a damaged file, and a table of that size would exhaust memory. */
const MAX_VOCABULARY_SIZE = 2 ** 22;

/** Returns `value` if it is an object, else throws; `what` and `from` name the field and the file in the error. */
export function requireObject(value: unknown, what: string, from: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw new TypeError(
    `Cannot read tokenizer: ${what} of ${from} must be an object, but is ${typeName(value)}`,
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

/** Returns `id` if it is a valid index into the table of tokens, else throws. */
export function checkId(id: unknown, token: unknown, from: string): number {
  if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < MAX_VOCABULARY_SIZE) {
    return id;
  }
  throw new TypeError(
    `Cannot read tokenizer: token ${JSON.stringify(token)} of ${from} must have an integer id ` +
      `from 0 to ${MAX_VOCABULARY_SIZE - 1}, but its id is ${JSON.stringify(id) ?? "missing"}`,
  );
}

/** The text of a token, which is a string or an object with the key `content`. */
export function tokenContent(token: unknown): unknown {
  return typeof token === "object" && token !== null ? (token as JsonObject)["content"] : token;
}

/** Reads the special tokens by role from tokenizer_config.json. */
export function readNames(settings: JsonObject, from: string): SpecialNames {
  const name = (role: keyof SpecialNames): string => {
    const text = tokenContent(settings[`${role}_token`] ?? BERT_NAMES[role]);
    if (typeof text === "string" && text !== "") return text;
    throw new TypeError(
      `Cannot read tokenizer: "${role}_token" in tokenizer_config.json beside ${from} must be a string, ` +
        `but is ${JSON.stringify(settings[`${role}_token`])}`,
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

/** The items of `added_tokens` and of `added_tokens_decoder`, whose keys are ids. */
function listDeclared(
  root: JsonObject,
  { settings, isBert }: { readonly settings: JsonObject; readonly isBert: boolean },
  from: string,
): readonly unknown[] {
  const added = root["added_tokens"] ?? [];
  if (!Array.isArray(added)) {
    throw new TypeError(
      `Cannot read tokenizer: "added_tokens" of ${from} must be an array, but is ${
        typeName(added)
      }`,
    );
  }
  const decoder = settings["added_tokens_decoder"];
  if (decoder === undefined) return added;
  const beside = `the tokenizer_config.json beside ${from}`;
  const others = Object.entries(requireObject(decoder, `"added_tokens_decoder"`, beside))
    .map(([id, token]) => ({
      ...requireObject(token, `an item of "added_tokens_decoder"`, beside),
      id: Number(id),
    }));
  return isBert ? others : [...added, ...others];
}

/** Lists the texts of all special tokens in the order in which the Python library adds them. */
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
    const token = requireObject(item, `an item of "added_tokens"`, from);
    const { id, content } = token;
    const text = plainText(token, from);
    return { text, id: checkId(id, content, from), declared: true };
  }).sort((a, b) => a.id - b.id);
  const { settings, isBert, names } = options;
  const more = settings["extra_special_tokens"] ?? settings["additional_special_tokens"];
  const extra = Array.isArray(more)
    ? more.map((item) => ({
      text: plainText({ content: tokenContent(item) }, from),
      declared: true,
    }))
    : [];
  const roles = ["unk", "sep", "pad", "cls", "mask"] as const; // only BertTokenizer has defaults
  const named = roles.filter((role) => isBert || settings[`${role}_token`] !== undefined)
    .map((role) => ({ text: names[role], declared: false }));
  return [...declared, ...named, ...extra];
}

/** The text of an added token. Throws if the token strips spaces or normalizes text, which is not supported. */
function plainText(token: JsonObject, from: string): string {
  const { id, content } = token;
  if (typeof content !== "string" || content === "") {
    throw new TypeError(
      `Cannot read tokenizer: added token ${
        JSON.stringify(id) ?? ""
      } of ${from} must have a string as ` +
        `"content", but is ${JSON.stringify(content) ?? "missing"}`,
    );
  }
  const odd = ["normalized", "lstrip", "rstrip", "single_word"].find((name) =>
    token[name] === true
  );
  if (odd === undefined) return content;
  throw new TypeError(
    `Cannot read tokenizer: added token ${JSON.stringify(content)} of ${from} has ` +
      `"${odd}": true, which is not supported`,
  );
}

/**
 * Assigns ids as `tokenizers` does: the id in the vocabulary, else the next free one, whatever id the file states.
 * BERT's special tokens are omitted if neither the vocabulary nor the files contain them.
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

/** Finds the ids of the tokens that encoding requires. */
export function findSpecialIds(
  tokens: readonly string[],
  { pad, cls, sep, unk }: SpecialNames,
  from: string,
): SpecialIds {
  const find = (token: string) => {
    const id = tokens.indexOf(token);
    if (id >= 0) return id;
    throw new RangeError(
      `Cannot read tokenizer: the vocabulary of ${from} must contain ${token}, but ` +
        `its ${tokens.length} tokens do not include it`,
    );
  };
  return { pad: find(pad), cls: find(cls), sep: find(sep), unk: find(unk) };
}
