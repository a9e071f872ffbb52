/**
 * Binary format of encoded rows, with a checksum. N examples, of which example i has T_i tokens.
 *
 *     8 bytes   "STXENC01"
 *     32 bytes  SHA-256 of everything after it
 *     4 bytes   length of the header, a multiple of 4
 *     header    JSON: counts, and whether the examples are tagged
 *     int32     rows [N], lengths [N], ids [ΣT], labels [N] or [ΣT], words [ΣT] or none
 *
 * Integers are little-endian, like every platform that Deno supports.
 * @module
 */

import { createHash } from "node:crypto";
import type { EncodedRows } from "@/text/encode_rows.ts";
import type { Example } from "@/text/example.ts";

const MAGIC = new TextEncoder().encode("STXENC01");
const HASH_AT = 8, BODY_AT = 40, HEADER_AT = 44;

type Header = {
  readonly examples: number;
  /** Number of tokens, ΣT. The key is part of the file format. */
  readonly pieces: number;
  readonly tagged: boolean;
  readonly cutWords: number;
  readonly cutRows: number;
};

function hash(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

/** Serializes encoded rows. */
export function writeEncoded({ examples, cutWords, cutRows }: EncodedRows): Uint8Array {
  const tokens = examples.reduce((sum, { ids }) => sum + ids.length, 0);
  const tagged = examples.some(({ words }) => words !== undefined);
  const header: Header = { examples: examples.length, pieces: tokens, tagged, cutWords, cutRows };
  const text = JSON.stringify(header);
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 4) * 4));
  const numbers = 2 * examples.length + tokens + (tagged ? 2 * tokens : examples.length);

  const bytes = new Uint8Array(HEADER_AT + head.length + 4 * numbers);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(BODY_AT, head.length, true);
  bytes.set(head, HEADER_AT);
  const data = new Int32Array(bytes.buffer, HEADER_AT + head.length);
  let at = 0;
  const put = (values: ArrayLike<number>) => {
    data.set(values, at);
    at += values.length;
  };
  put(examples.map(({ row }) => row));
  put(examples.map(({ ids }) => ids.length));
  for (const { ids } of examples) put(ids);
  for (const { labels } of examples) put(labels);
  for (const { words } of examples) put(words ?? []);
  bytes.set(hash(bytes.subarray(BODY_AT)), HASH_AT);
  return bytes;
}

/** Hexadecimal SHA-256 of examples. Equal examples have equal digests. */
export function digestExamples(examples: readonly Example[]): string {
  const bytes = writeEncoded({ examples, cutWords: 0, cutRows: 0 });
  return bytes.slice(HASH_AT, BODY_AT).toHex();
}

/**
 * Parses the bytes of encoded rows.
 *
 * @throws {SyntaxError} if they are damaged.
 */
export function readEncoded(bytes: Uint8Array<ArrayBuffer>): EncodedRows {
  const fail = (reason: string) => {
    throw new SyntaxError(`Cannot read encoded rows: ${reason} (${bytes.length} bytes)`);
  };
  if (bytes.length < HEADER_AT || MAGIC.some((byte, at) => bytes[at] !== byte)) {
    fail("the file does not begin with STXENC01");
  }
  const sum = hash(bytes.subarray(BODY_AT));
  if (sum.some((byte, at) => bytes[HASH_AT + at] !== byte)) fail("the checksum does not match");

  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const dataAt = HEADER_AT + view.getUint32(BODY_AT, true);
  const header: Header = JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER_AT, dataAt)));
  const data = new Int32Array(bytes.slice(dataAt).buffer);
  const { examples: count, pieces: tokens, tagged, cutWords, cutRows } = header;
  const idsAt = 2 * count, labelsAt = idsAt + tokens, wordsAt = labelsAt + tokens;

  const examples: Example[] = [];
  for (let index = 0, at = 0; index < count; index++) {
    const row = data[index] ?? 0, length = data[count + index] ?? 0;
    const ids = data.slice(idsAt + at, idsAt + at + length);
    const first = labelsAt + (tagged ? at : index);
    const labels = data.slice(first, first + (tagged ? length : 1));
    const words = data.slice(wordsAt + at, wordsAt + at + length);
    examples.push(tagged ? { row, ids, labels, words } : { row, ids, labels });
    at += length;
  }
  return { examples, cutWords, cutRows };
}
