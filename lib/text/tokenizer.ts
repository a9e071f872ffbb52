/**
 * WordPiece through `@huggingface/transformers`, with the way back to words and raw text.
 *
 * The library looks up the pieces of each normalised word; splitting and normalising are in
 * `pre_tokenize.ts`, which keeps the raw places and follows the Rust tokenizers where the library
 * strays from them. Pieces of a word are remembered: most words of a text have been seen before.
 * @module
 */

import { BertTokenizer } from "@huggingface/transformers";
import { join } from "node:path";
import { isFile, readJson, readText, writeFileAtomic } from "@/files.ts";
import { buildTokenizerFiles } from "@/text/bert_tokenizer_json.ts";
import { createPreTokenizer, type PreToken } from "@/text/pre_tokenize.ts";
import { readTokenizerJson, type SpecialIds, type TokenizerJson } from "@/text/tokenizer_json.ts";

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
 * Reads the tokenizer of a model folder: `tokenizer.json` with `tokenizer_config.json` beside it, or,
 * where an old checkpoint has no tokenizer.json, its `vocab.txt`.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  const path = join(dir, "tokenizer.json");
  const configPath = join(dir, "tokenizer_config.json"), listPath = join(dir, "vocab.txt");
  const config = await isFile(configPath) ? await readWhole(configPath) : null;
  if (await isFile(path)) return tokenizerFromJson(await readWhole(path), config, path);
  if (await isFile(listPath)) {
    const lines = (await readText(listPath, "vocabulary")).split(/\r?\n/);
    const pieces = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
    const lowercase = (config as { do_lower_case?: unknown } | null)?.do_lower_case !== false;
    return tokenizerFromJson(buildTokenizerFiles(pieces, { lowercase }).json, config, listPath);
  }
  throw new Deno.errors.NotFound(
    `Cannot load tokenizer as the model folder must hold tokenizer.json or vocab.txt: ` +
      `${dir} has neither; copy the file from where the checkpoint comes from`,
  );
}

/** Writes `tokenizer.json` and `tokenizer_config.json` into a model folder. */
export async function saveTokenizer(dir: string, tokenizer: Tokenizer): Promise<void> {
  const text = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
  await writeFileAtomic(join(dir, "tokenizer.json"), text(tokenizer.json));
  await writeFileAtomic(join(dir, "tokenizer_config.json"), text(tokenizer.config));
}

/** JSON of a tokenizer, with advice where it is damaged. */
async function readWhole(path: string): Promise<unknown> {
  try {
    return await readJson(path, "tokenizer");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`${error.message}; copy the file anew`);
  }
}

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
  const pieces = pieceFinder(read, from);
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

/** The library's tokenizer, which must be able to take a word. */
function openLibrary({ json, config }: TokenizerJson, from: string): BertTokenizer {
  // words come split and normalised, and special pieces are added elsewhere
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  try {
    const library = new BertTokenizer({ ...json, ...parts }, config);
    library.encode("word", { add_special_tokens: false });
    return library;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(
      `Cannot read tokenizer as ${from} and its configuration must be such that ` +
        `@huggingface/transformers takes them: it says "${reason}"; copy the files anew`,
    );
  }
}

/** The library's pieces of a normalised word, remembered. */
function pieceFinder(read: TokenizerJson, from: string): (word: string) => Int32Array {
  const library = openLibrary(read, from);
  const { ids } = read;
  const known = new Map<string, Int32Array>();
  return (word) => {
    const found = known.get(word);
    if (found !== undefined) return found;
    if (known.size >= REMEMBERED_WORDS) known.clear();
    const encoded = Int32Array.from(library.encode(word, { add_special_tokens: false }));
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
