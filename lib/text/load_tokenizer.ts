/**
 * Reads and writes the tokenizer of a model folder.
 * @module
 */

import { join } from "node:path";
import { isFile, readJson, readText } from "@/system/files.ts";
import { tokenContent } from "@/text/special_tokens.ts";
import { type Tokenizer, tokenizerFromJson } from "@/text/tokenizer.ts";

/** Files that identify an unsupported tokenizer, and its algorithm. */
const OTHER_TOKENIZERS: { readonly [file: string]: string } = {
  "sentencepiece.bpe.model": "SentencePiece",
  "spiece.model": "SentencePiece",
  "tokenizer.model": "SentencePiece",
  "merges.txt": "byte-pair encoding (BPE)",
};

/**
 * Reads the tokenizer of a model folder: `tokenizer.json` and `tokenizer_config.json`. Old checkpoints without
 * tokenizer.json have `vocab.txt` instead. The files are interpreted as transformers 5.24 does.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  const path = join(dir, "tokenizer.json"), listPath = join(dir, "vocab.txt");
  const config = await readSettings(dir);
  if (await isFile(path)) return tokenizerFromJson(await readTokenizerFile(path), config, path);
  if (await isFile(listPath)) {
    const lines = (await readText(listPath, "vocabulary")).split("\n");
    const tokens = (lines.at(-1) === "" ? lines.slice(0, -1) : lines).map(trimEnd);
    const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
    const added = await readAdded(dir, config);
    const json = {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: added,
      model: { vocab },
    };
    return tokenizerFromJson(json, config, listPath);
  }
  for (const [name, kind] of Object.entries(OTHER_TOKENIZERS)) {
    if (!await isFile(join(dir, name))) continue;
    throw new RangeError(
      `Cannot load tokenizer: ${dir} must contain a WordPiece tokenizer as tokenizer.json or vocab.txt. It contains ${name}, ` +
        `a ${kind} tokenizer, which is not supported. Choose a checkpoint with BERT's tokenizer`,
    );
  }
  throw new Deno.errors.NotFound(
    `Cannot load tokenizer: ${dir} contains neither tokenizer.json nor vocab.txt. ` +
      `Copy the file from the source of the checkpoint`,
  );
}

/** Removes trailing white space as the Rust library `tokenizers` does for each line of vocab.txt. */
function trimEnd(line: string): string {
  return line.replace(/\p{White_Space}+$/u, "");
}

type JsonObject = { readonly [key: string]: unknown };

/**
 * Reads tokenizer_config.json; null if it is missing. In older folders, special_tokens_map.json contains the special
 * tokens. If tokenizer_config.json does not name the tokenizer's class, config.json may.
 */
async function readSettings(dir: string): Promise<unknown> {
  const config = await readOptional(dir, "tokenizer_config.json");
  const given = (config ?? {}) as JsonObject;
  const map = given.added_tokens_decoder === undefined
    ? await readOptional(dir, "special_tokens_map.json")
    : null;
  const model = await readOptional(dir, "config.json") as JsonObject | null;
  const named = given.tokenizer_class ?? model?.tokenizer_class ?? null;
  if (map === null && named === (given.tokenizer_class ?? null)) return config;
  return {
    ...given,
    ...map as object | null,
    ...(named === null ? {} : { tokenizer_class: named }),
  };
}

/** Reads added_tokens.json, which extends vocab.txt, and converts it to the form of tokenizer.json. */
async function readAdded(dir: string, config: unknown): Promise<readonly unknown[]> {
  const added = await readOptional(dir, "added_tokens.json") ?? {};
  const named = new Set(Object.values(config ?? {}).flat().map(tokenContent));
  return Object.entries(added)
    .map(([content, id]) => ({ id, content, normalized: !named.has(content) }));
}

/** Reads a JSON file; null if it is missing. */
async function readOptional(dir: string, name: string): Promise<unknown> {
  const path = join(dir, name);
  return await isFile(path) ? await readTokenizerFile(path) : null;
}

/**
 * Returns the same tokenizer, but texts are lowercased first (`do_lower_case` of sentence-transformers). Accents
 * are stripped only if the given tokenizer strips them. Offsets refer to the original text.
 */
export function withLowercase({ json, config }: Tokenizer): Tokenizer {
  const { normalizer } = json as { readonly normalizer: Readonly<Record<string, unknown>> };
  const { lowercase = true, strip_accents: stripAccents = null } = normalizer;
  const own = { lowercase: true, strip_accents: Boolean(stripAccents ?? lowercase) };
  return tokenizerFromJson(
    { ...json as object, normalizer: { ...normalizer, ...own } },
    { ...config as object, do_lower_case: true, strip_accents: own.strip_accents },
  );
}

/** Parses a JSON file of the tokenizer. The error for a damaged file says how to fix it. */
async function readTokenizerFile(path: string): Promise<unknown> {
  try {
    return await readJson(path, "tokenizer");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`${error.message}. Copy the file again`);
  }
}
