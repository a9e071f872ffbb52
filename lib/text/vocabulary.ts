/**
 * Learns a small WordPiece vocabulary from texts, for models trained from scratch.
 * @module
 */

import {
  buildTokenizerFiles,
  SPECIAL_TOKENS,
  type TokenizerFiles,
} from "@/text/bert_tokenizer_json.ts";
import { mergeTokens } from "@/text/merge_tokens.ts";
import { createPreTokenizer } from "@/text/pre_tokenize.ts";

/** Size and case of a vocabulary. */
type LearnOptions = {
  /** Number of tokens, special tokens and single characters included. Fewer are learned if no pair of tokens repeats. */
  readonly size: number;
  readonly lowercase: boolean;
};

/** Letters and digits that every vocabulary contains, so that words not in the texts can be tokenized. */
const ALWAYS_LOWER = "abcdefghijklmnopqrstuvwxyz0123456789";
/** Longer words become [UNK] and are not learned from. */
const LONGEST_WORD = 100;

/**
 * Learns a vocabulary from texts. The result does not depend on their order.
 *
 * Every character in the texts becomes a token, alone and with "##", so that only other characters become [UNK].
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
  // repeated marks and ideographs are separate words, so they need no "##" token
  const joined = singles.filter((character) => split(character + character).length === 1);
  const alphabet = [...singles, ...joined.map((character) => "##" + character)];
  const least = SPECIAL_TOKENS.length + alphabet.length;
  if (!Number.isInteger(size) || size < least) {
    throw new RangeError(
      `Cannot learn vocabulary: size must be an integer of at least ${least} to include all characters of ` +
        `the texts, but is ${size}`,
    );
  }
  const words = new Map([...counts].sort(([a], [b]) => compareUnits(a, b)));
  const merged = mergeTokens(words, alphabet, { count: size - least });
  return buildTokenizerFiles([...SPECIAL_TOKENS, ...alphabet, ...merged], { lowercase });
}

/** Compares by code units, which is independent of the locale. */
function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
