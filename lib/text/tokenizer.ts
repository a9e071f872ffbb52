/**
 * WordPiece tokenizer on top of `@huggingface/tokenizers`. Also maps tokens to words and to positions in the raw
 * text. Runs in browsers as well.
 *
 * The library finds the word pieces of each normalized word. Splitting and normalization are in `pre_tokenize.ts`,
 * which keeps raw positions and follows the Rust tokenizers where the library deviates from them. The tokens of a
 * word are cached, since most words of a text have occurred before.
 * @module
 */

import { Tokenizer as Library } from "@huggingface/tokenizers";
import { createPreTokenizer, type PreToken } from "@/text/pre_tokenize.ts";
import type { SpecialIds } from "@/text/special_tokens.ts";
import { readTokenizerJson, type TokenizerJson } from "@/text/tokenizer_json.ts";

/** The P tokens of a sequence of words. */
export type EncodedWords = {
  /** [P] token ids, without special tokens. */
  readonly ids: Int32Array;
  /** [P] index of the word that each token belongs to, in ascending order. Every word has at least one token. */
  readonly words: Int32Array;
};

/** The P tokens of a raw text and their positions in it. */
export type EncodedText = {
  /** [P] token ids, without [CLS] and [SEP]. */
  readonly ids: Int32Array;
  /** [P] start of each token in the raw text, in UTF-16 units. */
  readonly starts: Int32Array;
  /** [P] end (exclusive) of each token. */
  readonly ends: Int32Array;
};

/** A WordPiece tokenizer. */
export type Tokenizer = {
  /** Rows that the embedding table needs: the largest id plus 1. */
  readonly vocabularySize: number;
  readonly ids: SpecialIds;
  /** Token ids of a raw text, without [CLS] and [SEP]. */
  encodeText(text: string): Int32Array;
  /**
   * Tokens of words that are already split. A word that normalizes to nothing (control characters, a lone accent)
   * becomes one [UNK], so that every word has a token. Hugging Face's `is_split_into_words` drops such a word.
   */
  encodeWords(words: readonly string[]): EncodedWords;
  /** Tokens of a raw text with their positions in it. */
  encodeWithOffsets(text: string): EncodedText;
  /** The text of the token with this id, such as `##ing`. */
  token(id: number): string;
  /** Content of tokenizer.json, to be saved with a model. */
  readonly json: unknown;
  /** Content of tokenizer_config.json. */
  readonly config: unknown;
};

/** Words in the cache. When it is full, it is cleared. */
const CACHED_WORDS = 200_000;

/**
 * Creates a tokenizer from the contents of tokenizer.json and tokenizer_config.json (null if there is none).
 *
 * @param from path of tokenizer.json, for errors.
 */
export function tokenizerFromJson(
  json: unknown,
  config: unknown = null,
  from = "tokenizer.json",
): Tokenizer {
  const read = readTokenizerJson(json, config, from);
  const lookUp = createTokenLookup(read);
  const split = createPreTokenizer(read.normalizer);
  const sections = createSectionSplitter(read.specials);
  const { unk } = read.ids;

  /** Calls `visit` with the token ids of every word and special token in `text`; `base` is the section's position. */
  const walk = (text: string, visit: (ids: Int32Array, token: PreToken, base: number) => void) => {
    for (const { start, part, special } of sections(text)) {
      if (special !== null) {
        visit(Int32Array.of(special), { text: part, starts: [0], ends: [part.length] }, start);
      } else {
        for (const token of split(part)) visit(lookUp(token.text), token, start);
      }
    }
  };
  const encodeText = (text: string) => {
    const ids: number[] = [];
    walk(text, (found) => ids.push(...found));
    return Int32Array.from(ids);
  };

  return {
    vocabularySize: read.tokens.length,
    ids: read.ids,
    encodeText,
    encodeWords(words) {
      const ids: number[] = [], owners: number[] = [];
      words.forEach((word, index) => {
        const before = ids.length;
        walk(word, (found) => ids.push(...found));
        if (ids.length === before) ids.push(unk);
        while (owners.length < ids.length) owners.push(index);
      });
      return { ids: Int32Array.from(ids), words: Int32Array.from(owners) };
    },
    encodeWithOffsets(text) {
      const ids: number[] = [], starts: number[] = [], ends: number[] = [];
      walk(text, (found, token, base) => {
        const last = token.ends.length - 1;
        let at = 0; // code points of the word that earlier tokens cover
        for (const id of found) {
          const length = found.length === 1 ? last + 1 : read.lengths[id] ?? 0;
          ids.push(id);
          starts.push(base + (token.starts[at] ?? 0));
          ends.push(base + (token.ends[at + length - 1] ?? 0));
          at += length;
        }
      });
      return {
        ids: Int32Array.from(ids),
        starts: Int32Array.from(starts),
        ends: Int32Array.from(ends),
      };
    },
    token(id) {
      const token = read.tokens[id];
      if (token !== undefined) return token;
      throw new RangeError(
        `Cannot look up token ${id}: ids are 0 … ${read.tokens.length - 1}`,
      );
    },
    json: read.json,
    config: read.config,
  };
}

/** Opens the library's tokenizer for words that are already split and normalized, without special tokens. */
function openLibrary({ json, model }: TokenizerJson): Library {
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  return new Library({ ...json, ...parts, model }, {});
}

/** Returns a cached lookup of the token ids of a normalized word. */
function createTokenLookup(read: TokenizerJson): (word: string) => Int32Array {
  const library = openLibrary(read);
  const { ids } = read;
  const known = new Map<string, Int32Array>();
  return (word) => {
    const found = known.get(word);
    if (found !== undefined) return found;
    if (known.size >= CACHED_WORDS) known.clear();
    const encoded = Int32Array.from(library.encode(word, { add_special_tokens: false }).ids);
    const tokens = encoded.length > 0 ? encoded : Int32Array.of(ids.unk);
    known.set(word, tokens);
    return tokens;
  };
}

type Section = { readonly start: number; readonly part: string; readonly special: number | null };

/** Splits raw text at special tokens written in it, such as "[SEP]", as the library does. */
function createSectionSplitter(specials: ReadonlyMap<string, number>): (text: string) => Section[] {
  const names = [...specials.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(
    `(${names.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|")})`,
  );
  return (text) => {
    if (names.length === 0 || !pattern.test(text)) return [{ start: 0, part: text, special: null }];
    let start = 0;
    return text.split(pattern).map((part) => {
      const section = { start, part, special: specials.get(part) ?? null };
      start += part.length;
      return section;
    });
  };
}
