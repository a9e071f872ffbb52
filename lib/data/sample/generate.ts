/**
 * Generates the sentences of the built-in sample from a seed: words, tags and topic. A sentence fills a pattern:
 * `{A.role}` is a word of the sentence's own topic, `{B.role}` one of another topic, `{person}` … `{product}` are names,
 * other slots are neutral words, and everything else is literal text.
 *
 * The topic of a sentence follows one rule that word counts cannot capture: it is the topic of the one who acts, of the
 * head of a phrase, or of what remains after a correction; never of anything merely mentioned beside it.
 * @module
 */

import { type Prng, shuffle, stream } from "@/random.ts";
import {
  LEXICON,
  NEUTRAL,
  OWN_WORDS,
  type Role,
  ROLES,
  type Topic,
  TOPICS,
} from "@/data/sample/lexicon.ts";
import {
  capitalize,
  NAME_KINDS,
  NAME_TYPES,
  type NameMaker,
  nameMaker,
  pick,
  type SampleSplit,
} from "@/data/sample/names.ts";

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

/** Patterns with words of one topic. */
const PLAIN_PATTERNS: readonly string[] = [
  "{A.title} {person} {A.did} the {A.thing} in {place} on {day}",
  "the {A.actors} of {place} {A.did} the {adj} {A.thing} , {person} {said}",
  "{person} , the {adjective} {A.actor} , {A.did} the {A.thing} {time}",
  "{A.title} {surname} {said} the {A.thing} would end before {month}",
  "{place} - The {A.actors} {A.did} the {adj} {A.thing} {time} , {surname} {said}",
  "{adjective} {A.actors} {A.did} the {A.thing} near {place} on {day}",
  "the {A.thing} in {place} will go on until {month} {date} , {A.title} {person} {said}",
  "{number} {A.actors} from {place} and {place} {A.did} the {adj} {A.thing}",
  "at the {A.place} in {place} , {surname} and the {A.actors} {A.did} the {A.thing}",
  '" The {A.thing} came too late , " {said} {person} , whose {A.actors} had {A.did} it',
];

/** Patterns that fit only one topic. */
const TOPIC_PATTERNS: Readonly<Record<Topic, readonly string[]>> = {
  World: [
    "{adjective} {A.actors} {A.did} the {A.thing} with {place} , and {A.title} {surname} agreed on {day}",
    "{person} fled {place} for {place} after the {A.thing} , the {adjective} {A.actor} {said}",
    "soldiers from {place} entered {place} {time} and the {A.actors} {A.did} the {A.thing}",
  ],
  Sports: [
    "{team} beat {team} {score} in {place} on {day} after {surname} {A.did} the {A.thing}",
    "{surname} scored twice as {team} won the {event} {A.thing} against {team}",
    "{team} lost {score} at home to {team} , and {A.title} {surname} {said} the {A.thing} hurt",
  ],
  Business: [
    "shares of {company} rose {number} percent after {company} {A.did} the {A.thing}",
    "{company} {said} its {A.thing} fell {number} percent in {month} , and {A.title} {person} resigned",
    "workers at {company} in {place} feared the {A.thing} when {company} {A.did} the {A.place}",
  ],
  "Sci/Tech": [
    "{company} unveiled the {product} , a {adj} tool that {adjective} {A.actors} {A.did}",
    "{A.actors} at {company} {A.did} the {A.thing} with a {product} , {A.title} {person} {said}",
    "the {product} failed {time} and {A.actors} in {place} {A.did} the {A.thing} again",
  ],
};

/**
 * Patterns with words of two topics. If a role decides the topic against another role in one pattern, the opposite holds
 * in another pattern, so per-word weights do not help.
 */
const MIXED_PATTERNS: readonly string[] = [
  // The one who acts.
  "the {A.actor} {verb} the {B.actor} in {place} on {day}",
  "in {place} , the {A.actors} {verb} the {B.actors} {time} , {person} {said}",
  "the {B.actor} was {verb} by the {A.actor} in {place} {time}",
  "the {A.actor} {verb} {B.title} {surname} at the {event} in {place}",
  "{A.title} {surname} {verb} the {adjective} {B.actor} {time}",
  // The head of a phrase.
  "the {A.thing} of the {B.actors} made the {news} in {place} on {day} , {surname} {said}",
  "the {A.place} of the {B.actors} opened in {place} {time}",
  "the {A.thing} near the {B.place} began {time} , {adjective} {crowd} {said}",
  // What remains after a correction.
  "it was not the {B.thing} but the {A.thing} that {moved} {person} in {place}",
  "{place} spoke of the {A.thing} , not of the {B.thing} , on {day}",
  "the {news} in {place} came from the {A.thing} instead of the {B.thing} , {surname} {said}",
  "not the {B.actors} but the {A.actors} {verb} {company} {time}",
  "{person} wrote about the {A.actors} rather than the {B.actors} for {company}",
  // Mentioned beside it.
  "{person} {said} the {A.actors} outside the {B.place} had left {place} {time}",
  "the {A.place} in {place} closed {time} because of the {B.thing}",
  "before the {B.thing} on {day} , the {A.actors} {verb} {person} in {place}",
];

/** Endings that are independent of the topic. */
const TAILS: readonly string[] = [
  "",
  "",
  "",
  ", as {adjective} {crowd} had hoped",
  ", to the surprise of {surname}",
  ", {company} reported",
  "while {crowd} in {place} waited",
  ", {person} of {company} {said}",
  "with {adjective} help",
];
