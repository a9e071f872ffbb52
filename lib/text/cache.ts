/**
 * Encoded data sets kept on disk by the hash of all they depend on.
 *
 * They lie in `.cache/encoded/` of the project, or in `encoded/` of the folder that the environment
 * variable STX_CACHE names; an empty STX_CACHE turns the cache off. A file is never changed, only made
 * anew under another name, and may be deleted at any time.
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { findCacheFolder } from "@/cache_folder.ts";
import type { Row } from "@/data/rows.ts";
import { isFile, isSystemError, writeFileAtomic } from "@/files.ts";
import { type EncodedRows, type EncodeOptions, encodeRows } from "@/text/encode_rows.ts";
import { readEncoded, writeEncoded } from "@/text/encoded_file.ts";

/** Rises whenever the same rows would be encoded in another way. */
const ENCODING_VERSION = 1;

/** Rows that are encoded between two looks at what else there is to do. */
const ROWS_AT_ONCE = 1024;

/** Where encoded rows are kept, and who watches. */
export type CacheOptions = {
  /** Where encoded rows lie; null: nowhere. {@link findEncodedFolder} by default. */
  readonly folder?: string | null;
  /** Called now and then while rows are made, with how many are; what it throws ends the work. */
  readonly onRows?: (done: number) => void;
};

/** Encoded rows and where they came from. */
export type CachedRows = EncodedRows & {
  /** Whether they were read and not made. */
  readonly cached: boolean;
  /** What went wrong with the cache, if anything; the rows are right all the same. */
  readonly note: string | null;
};

/** The folder of encoded data sets; null where STX_CACHE is empty. */
export function findEncodedFolder(): string | null {
  return findCacheFolder("encoded");
}

/** A key over rows, tokenizer and options: equal keys, equal encodings. */
export function hashEncoding(rows: readonly Row[], options: EncodeOptions): string {
  const { tokenizer, kind, maxLength, windows, prompt } = options;
  const hash = createHash("sha256");
  // V8 brings the Unicode tables that normalisation reads
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

/** As `encodeRows`, from the cache where it holds the rows; else encodes and keeps them. */
export async function encodeRowsCached(
  rows: readonly Row[],
  options: EncodeOptions,
  { folder = findEncodedFolder(), onRows = () => {} }: CacheOptions = {},
): Promise<CachedRows> {
  if (folder === null) {
    return { ...await encodeInParts(rows, options, onRows), cached: false, note: null };
  }
  const path = join(folder, `${hashEncoding(rows, options)}.bin`);
  let note: string | null = null;
  try {
    if (await isFile(path)) {
      return { ...readEncoded(await Deno.readFile(path)), cached: true, note };
    }
  } catch (error) {
    if (!(isSystemError(error) || error instanceof SyntaxError)) throw error;
    note = `Encoded rows were made anew: ${path}: ${reasonOf(error)}`;
  }
  const encoded = await encodeInParts(rows, options, onRows);
  try {
    await writeFileAtomic(path, writeEncoded(encoded));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    note = `Encoded rows were not kept: ${path}: ${reasonOf(error)}`;
  }
  return { ...encoded, cached: false, note };
}

/** As `encodeRows`, with time for signals and drawing in between. */
async function encodeInParts(
  rows: readonly Row[],
  options: EncodeOptions,
  onRows: (done: number) => void,
): Promise<EncodedRows> {
  if (rows.length <= ROWS_AT_ONCE) return encodeRows(rows, options);
  const parts: EncodedRows[] = [];
  for (let first = 0; first < rows.length; first += ROWS_AT_ONCE) {
    parts.push(encodeRows(rows.slice(first, first + ROWS_AT_ONCE), { ...options, first }));
    onRows(Math.min(rows.length, first + ROWS_AT_ONCE));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return {
    examples: parts.flatMap(({ examples }) => examples),
    cutWords: parts.reduce((sum, { cutWords }) => sum + cutWords, 0),
    cutRows: parts.reduce((sum, { cutRows }) => sum + cutRows, 0),
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
