/**
 * Decodes plain text. A byte-order mark determines the encoding, else it is strict UTF-8; lines end as in Python's
 * universal newlines. All text files, standard input and request bodies are decoded here, so that bytes in another
 * encoding raise an error instead of becoming U+FFFD.
 * @module
 */

/** The source of a text, for errors. */
export type TextSource = {
  /** Role, such as "vocabulary". */
  readonly what: string;
  /** Name, such as a path or "standard input". */
  readonly name: string;
};

/** Thrown for bytes that are not text in a supported encoding. */
export class EncodingError extends Error {
  override readonly name = "EncodingError";
}

/** Byte-order marks; those of UTF-32 come first, since UTF-16's is a prefix of one of them. */
const MARKS = [
  { encoding: "utf-32le", bytes: [0xff, 0xfe, 0, 0] },
  { encoding: "utf-32be", bytes: [0, 0, 0xfe, 0xff] },
  { encoding: "utf-8", bytes: [0xef, 0xbb, 0xbf] },
  { encoding: "utf-16le", bytes: [0xff, 0xfe] },
  { encoding: "utf-16be", bytes: [0xfe, 0xff] },
] as const;

type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** Number of bytes before and after an invalid one that are used to guess the encoding. */
const GUESS_BYTES = 512;
/** First bytes of files that are not text. */
const SIGNATURES = [
  { kind: "gzip data: decompress it first", bytes: [0x1f, 0x8b] },
  { kind: "a ZIP archive: extract it first", bytes: [0x50, 0x4b, 3, 4] },
  { kind: "a Parquet file, not text", bytes: [0x50, 0x41, 0x52, 0x31] },
] as const;

/** An excerpt of a text's bytes that starts at `offset`. */
type Excerpt = { readonly bytes: Uint8Array; readonly offset: number };

/**
 * Decodes `bytes`: UTF-8 or UTF-16 according to the byte-order mark, which is removed, else UTF-8.
 *
 * @throws {EncodingError} With line, byte offset and a guess at the encoding.
 * @example
 * ```ts
 * import { decodeText } from "@/plain_text.ts";
 * decodeText(new Uint8Array([0xff, 0xfe, 0x61, 0]), { what: "texts", name: "a.txt" }); // "a"
 * ```
 */
export function decodeText(bytes: Uint8Array, source: TextSource): string {
  return decodeParts(source)(bytes, true);
}

/** Decodes a stream of bytes and yields the text in parts; errors as in {@link decodeText}. */
export async function* decodeStream(
  stream: ReadableStream<Uint8Array>,
  source: TextSource,
): AsyncGenerator<string> {
  const decode = decodeParts(source);
  for await (const bytes of stream) yield decode(bytes, false);
  yield decode(new Uint8Array(0), true);
}

/** Returns an incremental decoder. Bytes of an incomplete character are held back until the next part. */
function decodeParts(source: TextSource): (added: Uint8Array, isLast: boolean) => string {
  let encoding: Encoding | null = null;
  let held: Uint8Array = new Uint8Array(0); // bytes that are not yet decoded
  let offset = 0; // of the first held byte
  let recent: Uint8Array = held; // the last bytes before `held`, for guesses
  let lines = 0, endsWithReturn = false; // of the text decoded so far

  const refuse = (bytes: Uint8Array, at: number, guess: string): never => {
    const before = new TextDecoder(encoding ?? "utf-8").decode(bytes.subarray(0, at));
    const line = 1 + lines + countLineEnds(before, endsWithReturn);
    const byte = (bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, "0");
    throw new EncodingError(
      `Cannot read ${source.what}: ${source.name} is not UTF-8 (line ${line}, byte offset ${
        offset + at
      } is 0x${byte}); ${guess}`,
    );
  };

  const around = (bytes: Uint8Array, at: number): Excerpt => {
    const joined = join(recent, bytes.subarray(0, at + GUESS_BYTES));
    const start = Math.max(0, recent.length + at - GUESS_BYTES);
    return { bytes: joined.subarray(start), offset: offset - recent.length + start };
  };

  return (added, isLast) => {
    let bytes = held.length === 0 ? added : join(held, added);
    if (encoding === null) {
      const mark = findMark(bytes, isLast);
      if (mark === "undecided") {
        held = bytes.slice();
        return "";
      }
      if (typeof mark === "object") {
        if (mark.encoding === "utf-32le" || mark.encoding === "utf-32be") {
          return refuse(bytes, 0, `it is UTF-32, by its byte-order mark${advise("UTF-32")}`);
        }
        bytes = bytes.subarray(mark.bytes.length);
        offset += mark.bytes.length;
        encoding = mark.encoding;
      } else encoding = "utf-8";
    }
    const size = isLast ? bytes.length : findComplete(bytes, encoding);
    const whole = bytes.subarray(0, size);
    const text = decodeStrictly(whole, encoding);
    if (text === null) {
      const at = encoding === "utf-8" ? findInvalidUtf8(whole) : findInvalidUtf16(whole, encoding);
      const guess = encoding === "utf-8"
        ? guessEncoding(around(whole, at), isLast ? whole.subarray(at) : null)
        : `its byte-order mark says ${encoding.toUpperCase()}, but the bytes there are not valid`;
      return refuse(whole, at, guess);
    }
    if (encoding === "utf-8") {
      const zero = whole.indexOf(0);
      const wide = zero < 0 ? null : guessWide(around(whole, zero));
      if (wide !== null) return refuse(whole, zero, wide);
    }
    if (isLast) return text;
    held = bytes.slice(size);
    recent = join(recent, whole.subarray(-GUESS_BYTES)).slice(-GUESS_BYTES);
    offset += size;
    lines += countLineEnds(text, endsWithReturn);
    if (text !== "") endsWithReturn = text.endsWith("\r");
    return text;
  };
}

/**
 * Splits a text into lines that end with `\n`, `\r\n` or `\r`, as in Python's text files. A line end at the end of the
 * text does not start another line, and an empty text has no lines.
 */
export function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Splits a text in parts into lines by the rules of {@link splitLines}; yields each line once it has ended. */
export async function* streamLines(parts: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = "", endsWithReturn = false;
  for await (const part of parts) {
    if (part === "") continue;
    // the "\r" of "\r\n" has already ended the line
    const added = endsWithReturn && part.startsWith("\n") ? part.slice(1) : part;
    endsWithReturn = part.endsWith("\r");
    if (!/[\n\r]/.test(added)) {
      rest += added;
      continue;
    }
    const lines = (rest + added).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    yield lines;
  }
  if (rest !== "") yield [rest];
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** The byte-order mark at the start of a text; `undecided` if more bytes could complete one. */
function findMark(
  bytes: Uint8Array,
  isLast: boolean,
): typeof MARKS[number] | "none" | "undecided" {
  const isStart = (mark: typeof MARKS[number]) =>
    bytes.length < mark.bytes.length && bytes.every((byte, i) => byte === mark.bytes[i]);
  if (!isLast && MARKS.some(isStart)) return "undecided";
  return MARKS.find((mark) => mark.bytes.every((byte, i) => byte === bytes[i])) ?? "none";
}

/** Number of leading `bytes` without an incomplete character at the end. */
function findComplete(bytes: Uint8Array, encoding: Encoding): number {
  const { length } = bytes;
  if (encoding === "utf-8") {
    for (let back = 1; back <= Math.min(3, length); back++) {
      const byte = bytes[length - back] ?? 0;
      if (byte < 0x80) break;
      if (byte >= 0xc0) return countFollowing(byte) >= back ? length - back : length;
    }
    return length;
  }
  const even = length - length % 2;
  const high = bytes[encoding === "utf-16le" ? even - 1 : even - 2] ?? 0;
  return even > 0 && high >= 0xd8 && high <= 0xdb ? even - 2 : even;
}

/** Decodes bytes; null if they are invalid in the encoding. */
function decodeStrictly(bytes: Uint8Array, encoding: Encoding): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Number of bytes that follow the first byte of a character in UTF-8. */
function countFollowing(first: number): number {
  return first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
}

/**
 * Index of the first byte that does not begin a valid UTF-8 character; the length if all bytes are valid.
 *
 * Well-formed sequences: https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/#G27506
 */
function findInvalidUtf8(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0;
    const following = countFollowing(first);
    if (first >= 0x80 && following === 0) return at;
    // after some first bytes the second has a smaller range: no overlong forms, surrogates or values beyond 10FFFF
    const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    for (let next = 1; next <= following; next++) {
      const byte = bytes[at + next] ?? 0;
      if (byte < (next === 1 ? least : 0x80) || byte > (next === 1 ? most : 0xbf)) return at;
    }
    at += 1 + following;
  }
  return at;
}

/** Index of the first byte that does not begin a valid UTF-16 character: a lone surrogate or half a code unit. */
function findInvalidUtf16(bytes: Uint8Array, encoding: Encoding): number {
  const high = (at: number) => bytes[encoding === "utf-16le" ? at + 1 : at] ?? 0;
  let at = 0;
  while (at + 1 < bytes.length) {
    const isLead = high(at) >= 0xd8 && high(at) <= 0xdb;
    const isTrail = (unit: number) => high(unit) >= 0xdc && high(unit) <= 0xdf;
    if (isTrail(at) || (isLead && !isTrail(at + 2))) return at;
    at += isLead ? 4 : 2;
  }
  return at;
}

/** Number of line ends in a text; if the text before ended in `\r`, a leading `\n` does not count. */
function countLineEnds(text: string, afterReturn: boolean): number {
  const found = text.match(/\r\n|\n|\r/g)?.length ?? 0;
  return afterReturn && text.startsWith("\n") ? found - 1 : found;
}

const advise = (encoding: string) =>
  `: convert it to UTF-8, for example with iconv -f ${encoding} -t UTF-8`;

/** True for control characters except tab and line ends. */
const isControl = (byte: number) => byte < 0x09 || (byte > 0x0d && byte < 0x20);

/** A message if the bytes look like UTF-16 or UTF-32 without a byte-order mark, else null. */
function guessWide({ bytes, offset }: Excerpt): string | null {
  let zeros = 0, controls = 0, oddControls = 0;
  for (const [i, byte] of bytes.entries()) {
    if (byte === 0) zeros++;
    if (!isControl(byte)) continue;
    controls++;
    oddControls += (offset + i) % 2;
  }
  // in UTF-16 of most scripts, every second byte is a control character
  if (zeros === 0 || 4 * controls < bytes.length) return null;
  const order = 2 * oddControls >= controls ? "LE" : "BE";
  return 8 * zeros >= 5 * bytes.length
    ? `it looks like UTF-32 without a byte-order mark${advise("UTF-32")}`
    : `it looks like UTF-16 without a byte-order mark${advise(`UTF-16${order}`)}`;
}

/**
 * A message that guesses the encoding of bytes that are not UTF-8 and says what to do.
 *
 * @param end Bytes from the invalid one to the end of the text; null if more bytes may follow.
 */
function guessEncoding(near: Excerpt, end: Uint8Array | null): string {
  const signature = SIGNATURES.find(({ bytes: first }) =>
    near.offset === 0 && first.every((byte, i) => byte === near.bytes[i])
  );
  if (signature !== undefined) return `it looks like ${signature.kind}`;
  const wide = guessWide(near);
  if (wide !== null) return wide;
  const [first = 0, ...following] = end?.subarray(0, 4) ?? [];
  const isCut = following.length > 0 && following.length < countFollowing(first) &&
    following.every((byte) => byte >= 0x80 && byte <= 0xbf);
  if (isCut) return "it ends within a character: the end is missing";
  const controls = near.bytes.filter(isControl).length;
  if (20 * controls > near.bytes.length) return "it looks like binary data, not text";
  const high = near.bytes.reduce((count, byte) => count + (byte >= 0x80 ? 1 : 0), 0);
  return 3 * high <= near.bytes.length
    ? `it looks like Latin-1 or Windows-1252${advise("WINDOWS-1252")}`
    : "it looks like another encoding, such as UTF-16, Windows-1251 or GBK: convert it to UTF-8";
}
