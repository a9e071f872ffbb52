/**
 * A small WordPiece vocabulary learned from texts, for models that begin from nothing.
 * @module
 */

import {
  buildTokenizerFiles,
  SPECIAL_PIECES,
  type TokenizerFiles,
} from "@/text/bert_tokenizer_json.ts";
import { mergePieces } from "@/text/merge_pieces.ts";
import { createPreTokenizer } from "@/text/pre_tokenize.ts";

/** How a vocabulary is learned. */
export type LearnOptions = {
  /** Pieces, special ones and single characters included; fewer, once no pair of pieces repeats. */
  readonly size: number;
  readonly lowercase: boolean;
};

/** Letters and digits that a vocabulary holds even if the texts do not, so that new names have pieces. */
const ALWAYS_LOWER = "abcdefghijklmnopqrstuvwxyz0123456789";
/** Longer words are [UNK] and teach nothing. */
const LONGEST_WORD = 100;

/**
 * Learns a vocabulary from texts: the same for the same texts in any order.
 *
 * Every character seen is a piece, alone and with "##", so only characters never seen become [UNK].
 */
export function learnVocabulary(texts: Iterable<string>, options: LearnOptions): TokenizerFiles {
  const { size, lowercase } = options;
  const split = createPreTokenizer({
    cleanText: true,
    spaceOutCjk: true,
    stripAccents: lowercase,
    lowercase,
  });
  const counts = new Map<string, number>();
  const characters = new Set(lowercase ? ALWAYS_LOWER : ALWAYS_LOWER + ALWAYS_LOWER.toUpperCase());
  for (const text of texts) {
    for (const { text: word, starts } of split(text)) {
      if (starts.length <= LONGEST_WORD) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  for (const word of counts.keys()) for (const character of word) characters.add(character);

  const singles = [...characters].sort(compareUnits);
  // marks and ideographs always stand alone: two of them are two words
  const joined = singles.filter((character) => split(character + character).length === 1);
  const alphabet = [...singles, ...joined.map((character) => "##" + character)];
  const least = SPECIAL_PIECES.length + alphabet.length;
  if (!Number.isInteger(size) || size < least) {
    throw new RangeError(
      `Cannot learn vocabulary as size must be a whole number from ${least}, for the characters of ` +
        `the texts alone: current value is ${size}`,
    );
  }
  const words = new Map([...counts].sort(([a], [b]) => compareUnits(a, b)));
  const merged = mergePieces(words, alphabet, { count: size - least });
  return buildTokenizerFiles([...SPECIAL_PIECES, ...alphabet, ...merged], { lowercase });
}

/** By code units: the same in every locale. */
function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
