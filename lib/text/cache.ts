/**
 * Disk cache of encoded data sets. The key of an entry is a hash of everything that the encoding depends on.
 *
 * Entries are stored in the project's `.cache/encoded/`, or in `encoded/` of the folder in the environment
 * variable STX_CACHE. An empty STX_CACHE disables the cache. Entries are never modified and can be deleted
 * at any time.
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { findCacheFolder } from "@/system/cache_folder.ts";
import type { Row } from "@/data/rows.ts";
import { isFile, writeFileAtomic } from "@/system/files.ts";
import { isSystemError } from "@/engine/system.ts";
import { type EncodedRows, type EncodeOptions, encodeRows } from "@/text/encode_rows.ts";
import { readEncoded, writeEncoded } from "@/text/encoded_file.ts";

/** Increment it when the same rows would be encoded differently. */
const ENCODING_VERSION = 1;

/** Rows to encode before yielding to the event loop. */
const CHUNK_ROWS = 1024;

/** Cache folder and progress callback. */
type CacheOptions = {
  /** The cache folder; null disables the cache. Default: {@link findEncodedFolder}. */
  readonly folder?: string | null;
  /** Called from time to time with the number of rows encoded so far. An exception that it throws stops the encoding. */
  readonly onRows?: (done: number) => void;
};

/** Encoded rows and how the cache was used. */
type CachedRows = EncodedRows & {
  /** True if the rows were read from the cache. */
  readonly cached: boolean;
  /** Why the cache could not be read or written, else null. The rows are valid in any case. */
  readonly note: string | null;
};

/** The folder of encoded data sets; null if STX_CACHE is empty. */
export function findEncodedFolder(): string | null {
  return findCacheFolder("encoded");
}

/** The cache key: a hash of rows, tokenizer and options. */
export function hashEncoding(rows: readonly Row[], options: EncodeOptions): string {
  const { tokenizer, kind, maxLength, windows, prompt } = options;
  const hash = createHash("sha256");
  // normalization uses the Unicode tables of V8
  hash.update(
    JSON.stringify([ENCODING_VERSION, Deno.version.v8, kind, maxLength, windows, prompt]),
  );
  hash.update("\n" + JSON.stringify(tokenizer.json) + "\n");
  for (const row of rows) {
    hash.update(
      JSON.stringify("tokens" in row ? [row.tokens, row.tags] : [row.text, row.label]) + "\n",
    );
  }
  return hash.digest("hex");
}

/** Reads encoded rows from the cache. On a miss, calls `encodeRows` and stores the result. */
export async function encodeRowsCached(
  rows: readonly Row[],
  options: EncodeOptions,
  { folder = findEncodedFolder(), onRows = () => {} }: CacheOptions = {},
): Promise<CachedRows> {
  if (folder === null) {
    return { ...await encodeInChunks(rows, options, onRows), cached: false, note: null };
  }
  const path = join(folder, `${hashEncoding(rows, options)}.bin`);
  let note: string | null = null;
  try {
    if (await isFile(path)) {
      return { ...readEncoded(await Deno.readFile(path)), cached: true, note };
    }
  } catch (error) {
    if (!(isSystemError(error) || error instanceof SyntaxError)) throw error;
    note = `Cannot read the cache of encoded rows ${path}, so the rows are encoded again: ${
      reasonOf(error)
    }`;
  }
  const encoded = await encodeInChunks(rows, options, onRows);
  try {
    await writeFileAtomic(path, writeEncoded(encoded));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    note = `Cannot write the cache of encoded rows ${path}: ${reasonOf(error)}`;
  }
  return { ...encoded, cached: false, note };
}

/** Calls `encodeRows` in chunks and yields to the event loop between them, so that signals and drawing are handled. */
async function encodeInChunks(
  rows: readonly Row[],
  options: EncodeOptions,
  onRows: (done: number) => void,
): Promise<EncodedRows> {
  if (rows.length <= CHUNK_ROWS) return encodeRows(rows, options);
  const chunks: EncodedRows[] = [];
  for (let first = 0; first < rows.length; first += CHUNK_ROWS) {
    chunks.push(encodeRows(rows.slice(first, first + CHUNK_ROWS), { ...options, first }));
    onRows(Math.min(rows.length, first + CHUNK_ROWS));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return {
    examples: chunks.flatMap(({ examples }) => examples),
    cutWords: chunks.reduce((sum, { cutWords }) => sum + cutWords, 0),
    cutRows: chunks.reduce((sum, { cutRows }) => sum + cutRows, 0),
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
