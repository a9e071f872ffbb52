/**
 * BERT's normalisation and splitting of raw text, with the raw place of every character kept.
 *
 * Follows BertNormalizer and BertPreTokenizer of Hugging Face `tokenizers` 0.22.2 (the Rust code that
 * checkpoints were trained with): clean, space out CJK, strip accents (NFD, marks dropped), lowercase.
 * The JavaScript library differs from it in three things that are put right here: it lowercases whole
 * words (Greek final sigma), it does not space out CJK beyond U+FFFF, and it takes U+FEFF for a space.
 * What class a character has is up to V8's Unicode tables, which are newer than Rust's: 659 rare code
 * points (marks and punctuation of small and historic scripts) are taken otherwise, as by the library.
 * @module
 */

/** How text is normalised: the fields of a `BertNormalizer` in tokenizer.json. */
export type NormalizerOptions = {
  /** Drops control characters and makes every kind of space a space. */
  readonly cleanText: boolean;
  /** Makes each CJK ideograph a word of its own. */
  readonly spaceOutCjk: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
};

/** A normalised word, and where each of its code points stands in the raw text (UTF-16 units). */
export type PreToken = {
  readonly text: string;
  /** [C] first unit of the raw character that each of its C code points comes from. */
  readonly starts: readonly number[];
  /** [C] unit after that raw character. */
  readonly ends: readonly number[];
};

/** Splits raw text into normalised words. */
export type PreTokenizer = (text: string) => PreToken[];

/** What one raw character becomes: `apart` words stand alone, "" is dropped, " " ends a word. */
type Mapped = { readonly char: string; readonly apart: boolean };

const CONTROL = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;
const SPACE = /\p{White_Space}/u;
const ALL_MARKS = /\p{Mn}/gu;
const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/;
const PUNCTUATION = /\p{P}/u;
const NOT_ASCII = /[^\0-\x7f]/;

/** Whether a code point is an ideograph, by the ranges of BERT's own tokenizer. */
function isCjk(code: number): boolean {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0x20000 && code <= 0x2a6df) || (code >= 0x2a700 && code <= 0x2b73f) ||
    (code >= 0x2b740 && code <= 0x2b81f) || (code >= 0x2b920 && code <= 0x2ceaf) ||
    (code >= 0xf900 && code <= 0xfaff) || (code >= 0x2f800 && code <= 0x2fa1f);
}

/** What the character `code` becomes, taken alone. */
function mapCharacter(code: number, options: NormalizerOptions): readonly Mapped[] {
  const raw = String.fromCodePoint(code);
  if (options.cleanText) {
    const kept = raw === "\t" || raw === "\n" || raw === "\r";
    if (code === 0 || code === 0xfffd || (!kept && CONTROL.test(raw))) return [];
    if (SPACE.test(raw)) return [{ char: " ", apart: false }];
  }
  const cjk = options.spaceOutCjk && isCjk(code);
  let text = raw;
  if (options.stripAccents) text = text.normalize("NFD").replace(ALL_MARKS, "");
  if (options.lowercase) text = [...text].map((char) => char.toLowerCase()).join("");
  return [...text].map((char) =>
    SPACE.test(char)
      ? { char: " ", apart: false }
      : { char, apart: cjk || ASCII_PUNCTUATION.test(char) || PUNCTUATION.test(char) }
  );
}

/**
 * Makes a pre-tokenizer; it remembers what each character becomes, so keep it.
 *
 * @example
 * ```ts
 * import { createPreTokenizer } from "@/text/pre_tokenize.ts";
 * const split = createPreTokenizer({
 *   cleanText: true, spaceOutCjk: true, stripAccents: true, lowercase: true,
 * });
 * split("Café!"); // "cafe" with ends [1, 2, 3, 4], "!" with ends [5]
 * ```
 */
export function createPreTokenizer(options: NormalizerOptions): PreTokenizer {
  const known = new Map<number, readonly Mapped[]>();
  return (text) => {
    const tokens: PreToken[] = [];
    let word = "", starts: number[] = [], ends: number[] = [];
    const finish = () => {
      if (word === "") return;
      // marks that are no accents (Mc) may still stand in another order than NFD's
      if (options.stripAccents && NOT_ASCII.test(word)) word = word.normalize("NFD");
      tokens.push({ text: word, starts, ends });
      [word, starts, ends] = ["", [], []];
    };
    for (let at = 0; at < text.length;) {
      const code = text.codePointAt(at) ?? 0;
      const end = at + (code > 0xffff ? 2 : 1);
      let mapped = known.get(code);
      if (mapped === undefined) known.set(code, mapped = mapCharacter(code, options));
      for (const { char, apart } of mapped) {
        if (char === " " || apart) finish();
        if (char === " ") continue;
        word += char;
        starts.push(at);
        ends.push(end);
        if (apart) finish();
      }
      at = end;
    }
    finish();
    return tokens;
  };
}
