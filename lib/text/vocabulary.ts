/**
 * Learns a small WordPiece vocabulary from texts, for models trained from scratch.
 * @module
 */

import {
  buildTokenizerFiles,
  SPECIAL_TOKENS,
  type TokenizerFiles,
} from "@/text/bert_tokenizer_json.ts";
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

/** The token ids of a word and how often the word occurs. Merging rewrites `tokens` in place. */
type CountedWord = { tokens: number[]; readonly count: number };

type Candidate = { readonly count: number; readonly pair: number };

/** Larger than any vocabulary, so that left · PAIR_BASE + right identifies a pair of ids. */
const PAIR_BASE = 2 ** 24;

/**
 * Merges the most frequent pair of neighboring tokens, again and again, as byte-pair encoding does (Sennrich et al., arXiv
 * 1508.07909; Hugging Face's WordPiece trainer does the same). Returns the tokens that this adds to `alphabet`, in the
 * order of the merges. Ties are broken by token id, so the result is deterministic.
 *
 * @param words number of occurrences of each normalized word.
 * @param alphabet the initial tokens: each character alone and, where it can continue a word, after "##".
 * @param options `count` is the number of tokens to add. Fewer are returned if no pair occurs twice.
 */
export function mergeTokens(
  words: ReadonlyMap<string, number>,
  alphabet: readonly string[],
  options: { readonly count: number },
): string[] {
  const tokens = [...alphabet];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const counted: CountedWord[] = [...words].map(([word, count]) => ({
    tokens: [...word].map((char, at) => ids.get(at === 0 ? char : "##" + char) ?? -1),
    count,
  })).filter((word) => !word.tokens.includes(-1));
  const table = createPairTable(counted);

  while (tokens.length < alphabet.length + options.count) {
    const best = table.takeBest();
    if (best === null || best.count < 2) break;
    const left = Math.floor(best.pair / PAIR_BASE), right = best.pair % PAIR_BASE;
    const merged = (tokens[left] ?? "") + (tokens[right] ?? "").slice(2); // without its "##"
    let id = ids.get(merged);
    if (id === undefined) {
      id = tokens.length;
      tokens.push(merged);
      ids.set(merged, id);
    }
    table.merge(best.pair, left, right, id);
  }
  return tokens.slice(alphabet.length);
}

/** Tracks how often each pair of neighbors occurs, and in which words. */
function createPairTable(words: readonly CountedWord[]) {
  const counts = new Map<number, number>();
  // pair → words; may include words that no longer contain the pair
  const wordsByPair = new Map<number, Set<number>>();
  const heap = createHeap();

  /** Adds `sign` times the word's count to each of its pairs. If `sign` is 1, adds the pairs to `grown`. */
  const addPairs = (word: number, sign: 1 | -1, grown: Set<number>) => {
    const { tokens, count } = words[word] ?? { tokens: [], count: 0 };
    for (let at = 1; at < tokens.length; at++) {
      const pair = (tokens[at - 1] ?? 0) * PAIR_BASE + (tokens[at] ?? 0);
      counts.set(pair, (counts.get(pair) ?? 0) + sign * count);
      if (sign < 0) continue;
      grown.add(pair);
      const known = wordsByPair.get(pair);
      if (known === undefined) wordsByPair.set(pair, new Set([word]));
      else known.add(word);
    }
  };
  const pushPairs = (grown: ReadonlySet<number>) => {
    for (const pair of grown) heap.push({ count: counts.get(pair) ?? 0, pair });
  };
  const all = new Set<number>();
  words.forEach((_, word) => addPairs(word, 1, all));
  pushPairs(all);

  return {
    /** Removes and returns the most frequent pair. Outdated heap entries are corrected or dropped on the way. */
    takeBest(): Candidate | null {
      for (let top; (top = heap.pop()) !== null;) {
        const count = counts.get(top.pair) ?? 0;
        if (count === top.count) return top;
        if (count > 0 && count < top.count) heap.push({ count, pair: top.pair });
      }
      return null;
    },
    /** Replaces the neighbors `left`, `right` with `id` in every word. */
    merge(pair: number, left: number, right: number, id: number): void {
      const grown = new Set<number>();
      for (const index of wordsByPair.get(pair) ?? []) {
        const word = words[index];
        if (word === undefined) continue;
        addPairs(index, -1, grown);
        const merged: number[] = [];
        for (let at = 0; at < word.tokens.length; at++) {
          const matches = word.tokens[at] === left && word.tokens[at + 1] === right;
          merged.push(matches ? id : word.tokens[at] ?? 0);
          if (matches) at++;
        }
        word.tokens = merged;
        addPairs(index, 1, grown);
      }
      wordsByPair.delete(pair);
      counts.delete(pair);
      grown.delete(pair);
      pushPairs(grown);
    },
  };
}

/** Binary heap, highest count first, then lowest pair. */
function createHeap() {
  const items: Candidate[] = [];
  const before = (a: Candidate, b: Candidate) =>
    a.count > b.count || (a.count === b.count && a.pair < b.pair);
  const at = (index: number) => items[index] as Candidate;
  const swap = (a: number, b: number) => {
    [items[a], items[b]] = [at(b), at(a)];
  };
  return {
    push(item: Candidate): void {
      items.push(item);
      for (let child = items.length - 1; child > 0;) {
        const parent = (child - 1) >> 1;
        if (!before(at(child), at(parent))) break;
        swap(child, parent);
        child = parent;
      }
    },
    pop(): Candidate | null {
      const top = items[0], last = items.pop();
      if (top === undefined || last === undefined) return null;
      if (items.length === 0) return top;
      items[0] = last;
      for (let parent = 0;;) {
        let child = 2 * parent + 1;
        if (child >= items.length) return top;
        if (child + 1 < items.length && before(at(child + 1), at(child))) child++;
        if (!before(at(child), at(parent))) return top;
        swap(child, parent);
        parent = child;
      }
    },
  };
}
