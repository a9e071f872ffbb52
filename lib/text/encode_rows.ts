/**
 * Encodes rows as examples, splits long rows into windows, and maps predicted tags back to rows. Shapes: T tokens, [CLS]
 * and [SEP] included; W words; a window has at most C tokens.
 * @module
 */

import { assertNever } from "@/assert_never.ts";
import type { TaskKind } from "@/config/config.ts";
import { isTaggedRow, type Row, type TaggedRow } from "@/data/rows.ts";
import { type Example, IGNORED } from "@/text/example.ts";
import type { EncodedWords, Tokenizer } from "@/text/tokenizer.ts";

/** How words beyond the model's limit are handled: dropped ("cut"), or read in another, overlapping window. */
const WINDOW_MODES = ["cut", "overlap"] as const;
/** One of {@link WINDOW_MODES}. */
type WindowMode = typeof WINDOW_MODES[number];

/** Tokenizer, limits and prompt of an encoding. */
export type EncodeOptions = {
  readonly tokenizer: Tokenizer;
  readonly kind: TaskKind;
  /** Longest example in tokens, [CLS] and [SEP] included; at least 3. */
  readonly maxLength: number;
  /** Applies to tagging. Classified texts are always cut. */
  readonly windows: WindowMode;
  /** Prepended to each text, and to each window of a tagged row; "" for none. */
  readonly prompt: string;
};

/** The examples of all rows, and how much was truncated. */
export type EncodedRows = {
  readonly examples: readonly Example[];
  /** Tagging: words beyond the limit, which get no prediction. Always 0 for classification. */
  readonly cutWords: number;
  /** Rows that were truncated at the limit. */
  readonly cutRows: number;
};

/** Encodes the rows of one task, in order. `first` is the index of the first row, by default 0. */
export function encodeRows(
  rows: readonly Row[],
  options: EncodeOptions & { readonly first?: number },
): EncodedRows {
  const { kind, maxLength, first = 0 } = options;
  if (!Number.isInteger(maxLength) || maxLength < 3) {
    throw new RangeError(
      `Cannot encode rows: maxLength must be an integer of at least 3, but is ${maxLength}`,
    );
  }
  const examples: Example[] = [];
  let cutWords = 0, cutRows = 0;
  rows.forEach((row, place) => {
    const index = first + place;
    if (isTaggedRow(row) !== (kind === "tagging")) {
      throw new TypeError(
        `Cannot encode row ${index} for a ${kind} task: ` +
          `its fields are ${Object.keys(row).join(", ")}`,
      );
    }
    const encoded = isTaggedRow(row)
      ? encodeTagged(row, index, options)
      : encodeText(row.text, row.label, index, options);
    examples.push(...encoded.examples);
    cutWords += encoded.cutWords;
    cutRows += encoded.cutRows;
  });
  return { examples, cutWords, cutRows };
}

/** Adds [CLS] and [SEP] around `tokens`. */
function frame(tokens: Int32Array, { ids }: Tokenizer): Int32Array {
  const framed = new Int32Array(tokens.length + 2); // [T]
  framed[0] = ids.cls;
  framed.set(tokens, 1);
  framed[framed.length - 1] = ids.sep;
  return framed;
}

/** Encodes a classified text, truncated to the limit. */
function encodeText(
  text: string,
  label: number,
  row: number,
  { tokenizer, maxLength, prompt }: EncodeOptions,
): EncodedRows {
  const tokens = tokenizer.encodeText(prompt + text);
  const ids = frame(tokens.subarray(0, maxLength - 2), tokenizer);
  const cutRows = tokens.length > maxLength - 2 ? 1 : 0;
  return { examples: [{ row, ids, labels: Int32Array.of(label) }], cutWords: 0, cutRows };
}

/** Encodes a tagged row as one example, or one example per window. */
function encodeTagged(row: TaggedRow, index: number, options: EncodeOptions): EncodedRows {
  const { tokenizer, windows } = options;
  const { tokens, tags } = row;
  if (tags.length !== tokens.length) {
    throw new RangeError(
      `Cannot encode row ${index}: it must have as many tags as words, but has ${tokens.length} words ` +
        `and ${tags.length} tags`,
    );
  }
  const encoded = tokenizer.encodeWords(tokens);
  const firsts = firstTokens(encoded, tokens.length);
  const prompt = tokenizer.encodeText(options.prompt);
  const capacity = options.maxLength - 2 - prompt.length;
  if (capacity < 1) {
    throw new RangeError(
      `Cannot encode row ${index}: the prompt ${
        JSON.stringify(options.prompt)
      } has ${prompt.length} ` +
        `tokens and leaves no room for a word in ${options.maxLength}`,
    );
  }
  const place = { tokenizer, prompt, capacity };
  const take = (window: Window) => takeWindow(row, index, encoded, firsts, window, place);
  const all = { start: 0, end: tokens.length, from: 0, to: tokens.length };
  if (encoded.ids.length <= capacity) return { examples: [take(all)], cutWords: 0, cutRows: 0 };
  switch (windows) {
    case "cut": {
      // the last entry is the number of tokens, not a word
      const cutWords = firsts.filter((first) => first >= capacity).length - 1;
      return { examples: [take(all)], cutWords, cutRows: 1 };
    }
    case "overlap": {
      const sizes = tokens.map((_, word) => (firsts[word + 1] ?? 0) - (firsts[word] ?? 0));
      return { examples: planWindows(sizes, capacity).map(take), cutWords: 0, cutRows: 0 };
    }
    default:
      return assertNever(windows, "window mode");
  }
}

/** [W + 1] index of the first token of each word, then the number of tokens. */
function firstTokens({ ids, words }: EncodedWords, count: number): number[] {
  const firsts = new Array<number>(count + 1).fill(ids.length);
  for (let token = words.length - 1; token >= 0; token--) firsts[words[token] ?? 0] = token;
  return firsts;
}

/** Builds the example of one window, which begins with the prompt. Tokens beyond `capacity` are dropped. */
function takeWindow(
  { tags }: TaggedRow,
  row: number,
  { ids }: EncodedWords,
  firsts: readonly number[],
  { start, end, from, to }: Window,
  { tokenizer, prompt, capacity }: {
    readonly tokenizer: Tokenizer;
    readonly prompt: Int32Array;
    readonly capacity: number;
  },
): Example {
  const first = firsts[start] ?? 0;
  const last = Math.min(firsts[end] ?? 0, first + capacity);
  const offset = 1 + prompt.length - first; // add it to a token's index in the row to get its position in the example
  const framed = frame(Int32Array.of(...prompt, ...ids.subarray(first, last)), tokenizer); // [T]
  const labels = new Int32Array(framed.length).fill(IGNORED);
  const words = new Int32Array(framed.length).fill(IGNORED);
  for (let word = from; word < to; word++) {
    const token = firsts[word] ?? 0;
    if (token >= last) break;
    labels[token + offset] = tags[word] ?? IGNORED;
    words[token + offset] = word;
  }
  return { row, ids: framed, labels, words };
}

/**
 * Converts tags predicted per token to tags per word of each row.
 *
 * @param predicted tag numbers of each example, at least T of them (the rest is padding).
 * @param rows the encoded rows. The result has one tag for each of their words.
 * @param options `unread` is the tag of words that were truncated; by default 0, the tag O.
 */
export function readTags(
  examples: readonly Example[],
  predicted: readonly ArrayLike<number>[],
  rows: readonly Pick<TaggedRow, "tokens">[],
  options: { readonly unread?: number } = {},
): number[][] {
  const { unread = 0 } = options;
  if (predicted.length !== examples.length) {
    throw new RangeError(
      `Cannot read tags: there must be as many predictions as examples, but there are ` +
        `${examples.length} examples and ${predicted.length} predictions`,
    );
  }
  const tags = rows.map(({ tokens }) => new Array<number>(tokens.length).fill(unread));
  examples.forEach(({ row, ids, words }, index) => {
    const found = predicted[index] ?? [];
    if (words === undefined || found.length < ids.length) {
      throw new RangeError(
        `Cannot read tags of example ${index}: it has ${ids.length} tokens, but ` +
          `${words === undefined ? 0 : found.length} tags`,
      );
    }
    words.forEach((word, token) => {
      const tag = found[token], rowTags = tags[row];
      if (word !== IGNORED && tag !== undefined && rowTags !== undefined) rowTags[word] = tag;
    });
  });
  return tags;
}

/** The words [start, end) of a row that a window contains. */
type Window = {
  readonly start: number;
  readonly end: number;
  /** The window predicts the tags of words [from, to); other windows predict the rest. */
  readonly from: number;
  readonly to: number;
};

/**
 * Plans windows so that exactly one window predicts the tag of each word, with context words on both sides if the
 * row has them. Neighboring windows share up to half a window. The window in which a shared word is further from
 * the edge predicts it. A word is truncated only if it alone exceeds a window.
 *
 * @param sizes [W] number of tokens of each word, at least 1.
 * @param capacity C, at least 1.
 */
export function planWindows(sizes: readonly number[], capacity: number): Window[] {
  const size = (word: number) => Math.min(sizes[word] ?? 0, capacity);
  /** The smallest start for which the words [start, end) have at most `room` tokens. */
  const findWindowStart = (end: number, room: number) => {
    let start = end;
    for (let used = 0; start > 0 && used + size(start - 1) <= room; start--) {
      used += size(start - 1);
    }
    return start;
  };
  /** The largest end (exclusive) of a window that begins at `start`. */
  const findWindowEnd = (start: number) => {
    let end = start;
    for (let used = 0; end < sizes.length && used + size(end) <= capacity; end++) used += size(end);
    return end;
  };

  const lastStart = findWindowStart(sizes.length, capacity);
  const windows: Window[] = [];
  let start = 0, from = 0;
  while (true) {
    const end = findWindowEnd(start);
    if (end >= sizes.length) {
      windows.push({ start, end, from, to: end });
      return windows;
    }
    // the next window shares half a window with this one, or more if it is the last
    const next = Math.max(start + 1, Math.min(lastStart, findWindowStart(end, capacity >> 1)));
    const to = Math.max(from, middleWord(next, end, size));
    windows.push({ start, end, from, to });
    [start, from] = [next, to];
  }
}

/** The word in [start, end) that has half of the tokens on each side; `end` if there is none. */
function middleWord(start: number, end: number, size: (word: number) => number): number {
  let total = 0;
  for (let word = start; word < end; word++) total += size(word);
  let word = start;
  for (let used = 0; word < end && 2 * used + size(word) <= total; word++) used += size(word);
  return word;
}
