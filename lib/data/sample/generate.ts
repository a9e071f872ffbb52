/**
 * Generates the sentences of the built-in sample from a seed: words, tags and topic.
 * @module
 */

import { type Prng, shuffle, stream } from "@/random.ts";
import { LEXICON, NEUTRAL, OWN_WORDS, type Role, ROLES, TOPICS } from "@/data/sample/lexicon.ts";
import {
  capitalize,
  NAME_KINDS,
  NAME_TYPES,
  type NameMaker,
  nameMaker,
  pick,
  type SampleSplit,
} from "@/data/sample/names.ts";
import { MIXED_PATTERNS, PLAIN_PATTERNS, TAILS, TOPIC_PATTERNS } from "@/data/sample/patterns.ts";

/** Tags in the order of their indices in CoNLL-2003 on the Hub. */
export const TAGS = [
  "O",
  "B-PER",
  "I-PER",
  "B-ORG",
  "I-ORG",
  "B-LOC",
  "I-LOC",
  "B-MISC",
  "I-MISC",
] as const;

/** Fraction of the sentences with words of two topics. */
export const MIXED_FRACTION = 0.38;

/** A generated sentence. */
export type Sentence = {
  readonly tokens: readonly string[];
  /** Index into {@link TAGS} for each token. */
  readonly tags: readonly number[];
  /** Index into {@link TOPICS}. */
  readonly topic: number;
};

/**
 * Generates `count` different sentences of a split with balanced topics, in random order.
 *
 * @param options.name Name of the random stream, so that data sets differ for the same seed.
 */
export function generateSentences(
  count: number,
  options: { readonly split: SampleSplit; readonly seed: number; readonly name: string },
): Sentence[] {
  const { split, seed, name } = options;
  const names = nameMaker(split);
  const prng = stream(seed, "sentences", name, split);
  const seen = new Set<string>();
  const sentences: Sentence[] = [];
  while (sentences.length < count) {
    const sentence = makeSentence(sentences.length % TOPICS.length, names, prng);
    const text = sentence.tokens.join(" ");
    if (!seen.has(text)) sentences.push(sentence);
    seen.add(text);
  }
  return shuffle(sentences, prng);
}

function makeSentence(topic: number, names: NameMaker, prng: Prng): Sentence {
  const own = TOPICS[topic];
  if (own === undefined) throw new Error(`internal: no topic ${topic}`);
  const other = pick(TOPICS.filter((name) => name !== own), prng);
  const mixed = prng.uniform() < MIXED_FRACTION;
  const plain = prng.below(3) === 0 ? TOPIC_PATTERNS[own] : PLAIN_PATTERNS;
  const pattern = pick(mixed ? MIXED_PATTERNS : plain, prng);
  const slots = `${pattern} ${pick(TAILS, prng)} .`.split(" ").filter((slot) => slot !== "");
  const lexicon = mixed ? OWN_WORDS : LEXICON; // a word that belongs to both topics would make the answer ambiguous
  const filling = { own: lexicon[own], other: lexicon[other], names, prng };

  const tokens: string[] = [], tags: number[] = [];
  for (const slot of slots) {
    const filled = fillSlot(slot, filling);
    tokens.push(...filled.words);
    tags.push(...filled.words.map((_, index) => tagOf(filled.type, index)));
  }
  tokens[0] = capitalize(tokens[0] ?? "");
  return { tokens, tags, topic };
}

type Filling = {
  readonly own: Readonly<Record<Role, readonly string[]>>;
  readonly other: Readonly<Record<Role, readonly string[]>>;
  readonly names: NameMaker;
  readonly prng: Prng;
};

/** Words for a slot such as `{A.thing}`, with their entity type if they are a name. */
function fillSlot(
  slot: string,
  filling: Filling,
): { words: readonly string[]; type: string | null } {
  const name = /^\{(.+)\}$/.exec(slot)?.[1];
  if (name === undefined) return { words: [slot], type: null };
  const { own, other, names, prng } = filling;
  const kind = NAME_KINDS.find((kind) => kind === name);
  if (kind !== undefined) return { words: names(kind, prng), type: NAME_TYPES[kind] };
  if (name === "number") return { words: [String(2 + prng.below(98))], type: null };
  if (name === "date") return { words: [String(1 + prng.below(28))], type: null };
  if (name === "score") return { words: [`${prng.below(5)}-${prng.below(5)}`], type: null };
  const [side, roleName] = name.split(".");
  const role = ROLES.find((role) => role === roleName);
  const words = role === undefined ? NEUTRAL[name] : (side === "A" ? own : other)[role];
  if (words === undefined) throw new Error(`internal: no words for slot ${slot}`);
  return { words: pick(words, prng).split(" "), type: null };
}

function tagOf(type: string | null, index: number): number {
  if (type === null) return 0;
  const tag = TAGS.findIndex((name) => name === `${index === 0 ? "B" : "I"}-${type}`);
  if (tag < 0) throw new Error(`internal: no tag for ${type}`);
  return tag;
}

/** The sentence as plain text, without spaces before closing marks and inside quotation marks. */
export function joinTokens(tokens: readonly string[]): string {
  let text = "", quoted = false, glue = true;
  for (const token of tokens) {
    const closing = /^[.,?!;:]$/.test(token) || token.startsWith("'") || (token === '"' && quoted);
    text += (glue || closing ? "" : " ") + token;
    glue = token === '"' && !quoted;
    if (token === '"') quoted = !quoted;
  }
  return text;
}
