/**
 * WordPiece through `@huggingface/tokenizers`, with the way back to words and raw text; runs in browsers
 * as well.
 *
 * The library looks up the pieces of each normalised word; splitting and normalising are in
 * `pre_tokenize.ts`, which keeps the raw places and follows the Rust tokenizers where the library
 * strays from them. Pieces of a word are remembered: most words of a text have been seen before.
 * @module
 */

import { Tokenizer as Library } from "@huggingface/tokenizers";
import { createPreTokenizer, type PreToken } from "@/text/pre_tokenize.ts";
import type { SpecialIds } from "@/text/special_tokens.ts";
import { readTokenizerJson, type TokenizerJson } from "@/text/tokenizer_json.ts";

/** P pieces of a sequence of words. */
export type EncodedWords = {
  /** [P] piece ids, no special pieces. */
  readonly ids: Int32Array;
  /** [P] index of the word that each piece belongs to; never falls, and leaves out no word. */
  readonly words: Int32Array;
};

/** P pieces of a raw text and where they stand in it. */
export type EncodedText = {
  /** [P] piece ids, no special pieces. */
  readonly ids: Int32Array;
  /** [P] first UTF-16 unit of each piece in the raw text. */
  readonly starts: Int32Array;
  /** [P] UTF-16 unit after each piece. */
  readonly ends: Int32Array;
};

/** Text to word pieces. */
export type Tokenizer = {
  /** Rows of the embedding table: the largest id and one. */
  readonly vocabularySize: number;
  readonly ids: SpecialIds;
  /** The piece ids of a raw text, no [CLS] and [SEP]. */
  encodeText(text: string): Int32Array;
  /**
   * The pieces of words that are given apart. A word of which normalisation leaves nothing (control
   * characters, a lone accent) becomes one [UNK], so that every word has a piece; Hugging Face's
   * `is_split_into_words` drops such a word.
   */
  encodeWords(words: readonly string[]): EncodedWords;
  /** The pieces of a raw text with their places in it. */
  encodeWithOffsets(text: string): EncodedText;
  /** The piece of an id, such as `##ing`. */
  piece(id: number): string;
  /** What tokenizer.json holds; saved with a model. */
  readonly json: unknown;
  /** What tokenizer_config.json holds. */
  readonly config: unknown;
};

/** Words whose pieces are remembered, at most; then the memory starts anew. */
const REMEMBERED_WORDS = 200_000;

/**
 * A tokenizer from the content of tokenizer.json and, if there is one, tokenizer_config.json.
 *
 * @param from names the source in errors.
 */
export function tokenizerFromJson(
  json: unknown,
  config: unknown = null,
  from = "tokenizer.json",
): Tokenizer {
  const read = readTokenizerJson(json, config, from);
  const pieces = pieceFinder(read);
  const split = createPreTokenizer(read.normalizer);
  const sections = sectionSplitter(read.specials);
  const { unk } = read.ids;

  /** Calls `visit` with every pre-token of `text`; special tokens in it come with their id. */
  const walk = (text: string, visit: (ids: Int32Array, token: PreToken, base: number) => void) => {
    for (const { start, part, special } of sections(text)) {
      if (special !== null) {
        visit(Int32Array.of(special), { text: part, starts: [0], ends: [part.length] }, start);
      } else {
        for (const token of split(part)) visit(pieces(token.text), token, start);
      }
    }
  };
  const encodeText = (text: string) => {
    const ids: number[] = [];
    walk(text, (found) => ids.push(...found));
    return Int32Array.from(ids);
  };

  return {
    vocabularySize: read.pieces.length,
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
        let at = 0; // code points of the word that are used up
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
    piece(id) {
      const piece = read.pieces[id];
      if (piece !== undefined) return piece;
      throw new RangeError(
        `Cannot name piece as id must be in 0 … ${read.pieces.length - 1}: current value is ${id}`,
      );
    },
    json: read.json,
    config: read.config,
  };
}

/** The library's tokenizer for words that come split and normalised; special pieces are added elsewhere. */
function openLibrary({ json, model }: TokenizerJson): Library {
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  return new Library({ ...json, ...parts, model }, {});
}

/** The library's pieces of a normalised word, remembered. */
function pieceFinder(read: TokenizerJson): (word: string) => Int32Array {
  const library = openLibrary(read);
  const { ids } = read;
  const known = new Map<string, Int32Array>();
  return (word) => {
    const found = known.get(word);
    if (found !== undefined) return found;
    if (known.size >= REMEMBERED_WORDS) known.clear();
    const encoded = Int32Array.from(library.encode(word, { add_special_tokens: false }).ids);
    const pieces = encoded.length > 0 ? encoded : Int32Array.of(ids.unk);
    known.set(word, pieces);
    return pieces;
  };
}

type Section = { readonly start: number; readonly part: string; readonly special: number | null };

/** Cuts raw text at the special tokens written out in it, such as "[SEP]", as the library does. */
function sectionSplitter(specials: ReadonlyMap<string, number>): (text: string) => Section[] {
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
