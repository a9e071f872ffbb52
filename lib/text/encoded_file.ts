/**
 * Encoded rows as one binary file with a checksum. N examples of T_i pieces.
 *
 *     8 bytes   "STXENC01"
 *     32 bytes  SHA-256 of all that follows
 *     4 bytes   length of the header, a multiple of 4
 *     header    JSON: counts, and whether examples have words
 *     int32     rows [N], lengths [N], ids [ΣT], labels [N] or [ΣT], words [ΣT] or none
 *
 * Numbers are little-endian, as every machine that Deno runs on has them.
 * @module
 */

import { createHash } from "node:crypto";
import type { EncodedRows } from "@/text/encode_rows.ts";
import type { Example } from "@/text/example.ts";

const MAGIC = new TextEncoder().encode("STXENC01");
const HASH_AT = 8, BODY_AT = 40, HEADER_AT = 44;

type Header = {
  readonly examples: number;
  readonly pieces: number;
  readonly tagged: boolean;
  readonly cutWords: number;
  readonly cutRows: number;
};

function hash(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

/** The bytes of encoded rows. */
export function writeEncoded({ examples, cutWords, cutRows }: EncodedRows): Uint8Array {
  const pieces = examples.reduce((sum, { ids }) => sum + ids.length, 0);
  const tagged = examples.some(({ words }) => words !== undefined);
  const header: Header = { examples: examples.length, pieces, tagged, cutWords, cutRows };
  const text = JSON.stringify(header);
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 4) * 4));
  const numbers = 2 * examples.length + pieces + (tagged ? 2 * pieces : examples.length);

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

/** Digest of examples in hexadecimal digits: equal digests, equal examples. */
export function digestExamples(examples: readonly Example[]): string {
  const bytes = writeEncoded({ examples, cutWords: 0, cutRows: 0 });
  return bytes.slice(HASH_AT, BODY_AT).toHex();
}

/** Encoded rows from their bytes; a SyntaxError says what is wrong with damaged ones. */
export function readEncoded(bytes: Uint8Array<ArrayBuffer>): EncodedRows {
  const fail = (wanted: string) => {
    throw new SyntaxError(`Cannot read encoded rows as ${wanted}: ${bytes.length} bytes`);
  };
  if (bytes.length < HEADER_AT || MAGIC.some((byte, at) => bytes[at] !== byte)) {
    fail("the file must begin with STXENC01");
  }
  const sum = hash(bytes.subarray(BODY_AT));
  if (sum.some((byte, at) => bytes[HASH_AT + at] !== byte)) fail("the checksum must fit");

  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const dataAt = HEADER_AT + view.getUint32(BODY_AT, true);
  const header: Header = JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER_AT, dataAt)));
  const data = new Int32Array(bytes.slice(dataAt).buffer);
  const { examples: count, pieces, tagged, cutWords, cutRows } = header;
  const idsAt = 2 * count, labelsAt = idsAt + pieces, wordsAt = labelsAt + pieces;

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
