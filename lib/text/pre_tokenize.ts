/**
 * BERT's normalization and pre-tokenization of raw text. Keeps the position of every character in the raw text.
 *
 * Follows BertNormalizer and BertPreTokenizer of Hugging Face `tokenizers` 0.22.2, the Rust code that checkpoints
 * were trained with: clean, put spaces around CJK, strip accents (NFD without marks), lowercase. The JavaScript
 * library deviates from it in three ways, which are corrected here: it lowercases whole words (Greek final sigma),
 * it puts no spaces around CJK beyond U+FFFF, and it treats U+FEFF as a space.
 *
 * Character classes come from the Unicode tables of V8, which are newer than those of the Rust code. As in the
 * JavaScript library, 659 rare code points (marks and punctuation of minor and historic scripts) are therefore
 * treated differently.
 * @module
 */

/** Normalization options: the fields of a `BertNormalizer` in tokenizer.json. */
export type NormalizerOptions = {
  /** Drops control characters and replaces every white-space character with a space. */
  readonly cleanText: boolean;
  /** Makes each CJK ideograph a word of its own. */
  readonly spaceOutCjk: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
};

/** A normalized word of C code points, and their positions in the raw text in UTF-16 units. */
export type PreToken = {
  readonly text: string;
  /** [C] start of the raw character that each code point comes from. */
  readonly starts: readonly number[];
  /** [C] end (exclusive) of that raw character. */
  readonly ends: readonly number[];
};

/** Splits raw text into normalized words. */
type PreTokenizer = (text: string) => PreToken[];

/** A normalized character. It is a word of its own if `isolated`; " " ends a word. */
type Mapped = { readonly char: string; readonly isolated: boolean };

const CONTROL = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u;
const SPACE = /\p{White_Space}/u;
const ALL_MARKS = /\p{Mn}/gu;
const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/;
const PUNCTUATION = /\p{P}/u;
const NOT_ASCII = /[^\0-\x7f]/;

/** True if a code point is an ideograph, by the ranges of BERT's original tokenizer. */
function isCjk(code: number): boolean {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0x20000 && code <= 0x2a6df) || (code >= 0x2a700 && code <= 0x2b73f) ||
    (code >= 0x2b740 && code <= 0x2b81f) || (code >= 0x2b920 && code <= 0x2ceaf) ||
    (code >= 0xf900 && code <= 0xfaff) || (code >= 0x2f800 && code <= 0x2fa1f);
}

/** Normalizes the single character `code`; empty if it is dropped. */
function mapCharacter(code: number, options: NormalizerOptions): readonly Mapped[] {
  const raw = String.fromCodePoint(code);
  if (options.cleanText) {
    const kept = raw === "\t" || raw === "\n" || raw === "\r";
    if (code === 0 || code === 0xfffd || (!kept && CONTROL.test(raw))) return [];
    if (SPACE.test(raw)) return [{ char: " ", isolated: false }];
  }
  const cjk = options.spaceOutCjk && isCjk(code);
  let text = raw;
  if (options.stripAccents) text = text.normalize("NFD").replace(ALL_MARKS, "");
  if (options.lowercase) text = [...text].map((char) => char.toLowerCase()).join("");
  return [...text].map((char) =>
    SPACE.test(char)
      ? { char: " ", isolated: false }
      : { char, isolated: cjk || ASCII_PUNCTUATION.test(char) || PUNCTUATION.test(char) }
  );
}

/**
 * Creates a pre-tokenizer. It caches the normalization of each character, so reuse it.
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
      // marks that are not accents (Mc) may not be in NFD order yet
      if (options.stripAccents && NOT_ASCII.test(word)) word = word.normalize("NFD");
      tokens.push({ text: word, starts, ends });
      [word, starts, ends] = ["", [], []];
    };
    for (let at = 0; at < text.length;) {
      const code = text.codePointAt(at) ?? 0;
      const end = at + (code > 0xffff ? 2 : 1);
      let mapped = known.get(code);
      if (mapped === undefined) known.set(code, mapped = mapCharacter(code, options));
      for (const { char, isolated } of mapped) {
        if (char === " " || isolated) finish();
        if (char === " ") continue;
        word += char;
        starts.push(at);
        ends.push(end);
        if (isolated) finish();
      }
      at = end;
    }
    finish();
    return tokens;
  };
}
