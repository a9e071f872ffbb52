/**
 * Splits raw text into words as CoNLL-2003 does, with their positions, so that untokenized text can be tagged.
 *
 * The conventions are inferred from the corpus:
 * - Punctuation at the edges of a word is a word ("Paris" ","). So are quotes, brackets, "--" and "..." anywhere.
 * - "U.S.", "Inc." and initials keep their dot; the dot at the end of a sentence is a word.
 * - "'s" and "n't" are split off ("do" "n't").
 * - Currency signs are split from the number that follows ("US$" "300").
 * - Numbers, dates, hyphens and inner apostrophes are kept together ("1,000", "6-4", "O'Neill").
 * @module
 */

/** A word and its position: UTF-16 units [start, end) of the raw text. */
export type Word = { readonly word: string; readonly start: number; readonly end: number };

/** Runs of characters other than white space (`\s` of JavaScript). */
const CHUNK = /\S+/gu;
/** URLs and e-mail addresses. Only trailing punctuation is split off. */
const ADDRESS = /^(?:https?:\/\/|www\.|[\w.+-]+@[\w-]+\.[\w-])/iu;
const AFTER_ADDRESS = /[.,;:!?'"”’)\]}>]$/u;
/** Words of their own wherever they occur: emoji, dashes, dots, quotes, brackets … */
const STANDALONE = new RegExp(
  [
    String.raw`\p{ExtPict}[\ufe0f\p{EMod}]*(?:\u200d\p{ExtPict}[\ufe0f\p{EMod}]*)*|\p{RI}{2}`,
    String.raw`-{2,}|\.{2,}|\x60\x60|''|[()[\]{}<>"“”„«»;!?…¿¡]`,
    String.raw`(?<!\p{Nd}),|,(?!\p{Nd})`, // a comma, except between digits
  ].join("|"),
  "gu",
);
/** A punctuation mark at the start, except the sign of a number and the apostrophe of a clitic. */
const LEADING =
  /^(?![-+.]\p{Nd})(?!['’](?:s|m|re|ve|ll|d|\p{Nd}\p{Nd}s?)$)(?:(?:US|[A-Z]{1,2})?[$£€¥]|[\p{P}\p{S}])(?=.)/iu;
/** A punctuation mark at the end, except hyphen, equals sign and currency ("6-", "10=", "C$"). */
const TRAILING = /(?<=.)(?![-–=+$£€¥.&*])[\p{P}\p{S}]$/u;
const CLITIC = /(?<=.)(?:n['’]t|['’](?:s|m|re|ve|ll|d))$/iu;
/** "U.S", "a.m", "F.B.I": dotted abbreviations without their last dot. */
const DOTTED = /^(?:\p{L}{1,2}\.)+\p{L}{1,2}$|-(?:\p{L}\.)+\p{L}$/u;
const INITIAL = /^\p{Lu}$/u;
/** A rank at the start of a text, without its dot: "1. Smith". */
const RANK = /^\s*\p{Nd}{1,2}$/u;
/** A rank ends within this many characters of the start of the text. */
const RANK_REACH = 8;
/** Only closing marks and white space up to the end of the text. */
const NOTHING_FOLLOWS = /[\s)\]}"”’'»]*$/uy;

/** Abbreviations that keep their dot, except at the end of a text. */
const ABBREVIATIONS = new Set(
  ("mr mrs ms dr st inc corp co ltd bros vs etc jr sr lt gen rep sen gov rev prof capt col sgt maj " +
    "pres dept est no nos vol fig jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu " +
    "fri sat ala ariz ark calif colo conn del fla ga ill ind kan ky la md mass mich minn miss mo " +
    "mont neb nev okla ore pa penn tenn tex va vt wash wis wyo ave blvd rd mt ft").split(" "),
);

/**
 * Splits a text into words, in order. Together they contain every character that is not white space.
 *
 * @example
 * ```ts
 * import { splitWords } from "@/split_words.ts";
 * splitWords("The U.S. didn't.").map(({ word }) => word); // The, U.S., did, n't, .
 * ```
 */
export function splitWords(text: string): Word[] {
  const words: Word[] = [];
  const add = (start: number, end: number) => {
    if (end > start) words.push({ word: text.slice(start, end), start, end });
  };
  for (const { 0: chunk, index } of text.matchAll(CHUNK)) {
    if (ADDRESS.test(chunk)) splitAddress(text, index, index + chunk.length, add);
    else splitChunk(text, index, index + chunk.length, add);
  }
  return words;
}

type Add = (start: number, end: number) => void;

/** Splits off the punctuation marks after an address. */
function splitAddress(text: string, start: number, end: number, add: Add): void {
  let stop = end;
  while (stop > start + 1 && AFTER_ADDRESS.test(text.slice(start, stop))) stop--;
  add(start, stop);
  for (let at = stop; at < end; at++) add(at, at + 1);
}

/** Splits a run without white space at the marks that are words of their own. */
function splitChunk(text: string, start: number, end: number, add: Add): void {
  let from = start;
  for (const { 0: mark, index } of text.slice(start, end).matchAll(STANDALONE)) {
    splitEdges(text, from, start + index, add);
    from = start + index + mark.length;
    add(start + index, from);
  }
  splitEdges(text, from, end, add);
}

/** Splits off marks at both edges, a final dot and clitics. */
function splitEdges(text: string, start: number, end: number, add: Add): void {
  const after: [number, number][] = []; // words split off at the end, last one first
  let front = start, back = end;
  const takeBack = (length: number) => {
    after.push([back - length, back]);
    back -= length;
  };
  for (let found; (found = LEADING.exec(text.slice(front, back))) !== null;) {
    add(front, front + found[0].length);
    front += found[0].length;
  }
  for (let more = true; more;) {
    const rest = text.slice(front, back);
    const found = CLITIC.exec(rest) ?? TRAILING.exec(rest);
    more = found !== null ||
      (rest.length > 1 && rest.endsWith(".") && !keepsDot(text, front, back));
    if (more) takeBack(found?.[0].length ?? 1);
  }
  add(front, back);
  for (const [from, to] of after.reverse()) add(from, to);
}

/** True if the dot at the end of [start, end) belongs to the word. */
function keepsDot(text: string, start: number, end: number): boolean {
  const stem = text.slice(start, end - 1);
  if (DOTTED.test(stem)) return true;
  NOTHING_FOLLOWS.lastIndex = end;
  if (NOTHING_FOLLOWS.test(text)) return false;
  if (end <= RANK_REACH && RANK.test(text.slice(0, end - 1))) return true;
  return INITIAL.test(stem) || ABBREVIATIONS.has(stem.toLowerCase());
}
