/**
 * Tokenizers in model folders: read and written.
 * @module
 */

import { join } from "node:path";
import { isFile, readJson, readText, writeFileAtomic } from "@/files.ts";
import { contentOf } from "@/text/special_tokens.ts";
import { type Tokenizer, tokenizerFromJson } from "@/text/tokenizer.ts";

/** Files of tokenizers that are not BERT's, and what made them. */
const OTHER_TOKENIZERS: { readonly [file: string]: string } = {
  "sentencepiece.bpe.model": "SentencePiece",
  "spiece.model": "SentencePiece",
  "tokenizer.model": "SentencePiece",
  "merges.txt": "byte-pair encoding (BPE)",
};

/**
 * Reads the tokenizer of a model folder: `tokenizer.json` with `tokenizer_config.json` beside it, or, where an old
 * checkpoint has no tokenizer.json, its `vocab.txt`. Files are followed as transformers 5.24 follows them.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  const path = join(dir, "tokenizer.json"), listPath = join(dir, "vocab.txt");
  const config = await readSettings(dir);
  if (await isFile(path)) return tokenizerFromJson(await readWhole(path), config, path);
  if (await isFile(listPath)) {
    const lines = (await readText(listPath, "vocabulary")).split(/\r?\n/);
    const pieces = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
    const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
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
      `Cannot load tokenizer as ${dir} must hold WordPiece as tokenizer.json or vocab.txt: it holds ${name}, ` +
        `a tokenizer by ${kind}, which is not supported; choose a checkpoint with BERT's tokenizer`,
    );
  }
  throw new Deno.errors.NotFound(
    `Cannot load tokenizer as the model folder must hold tokenizer.json or vocab.txt: ` +
      `${dir} has neither; copy the file from where the checkpoint comes from`,
  );
}

type JsonObject = { readonly [key: string]: unknown };

/**
 * What tokenizer_config.json says, null where it is missing. In older folders special_tokens_map.json names the
 * special tokens; config.json may name the tokenizer's class.
 */
async function readSettings(dir: string): Promise<unknown> {
  const config = await readIfThere(dir, "tokenizer_config.json");
  const given = (config ?? {}) as JsonObject;
  const map = given.added_tokens_decoder === undefined
    ? await readIfThere(dir, "special_tokens_map.json")
    : null;
  const model = await readIfThere(dir, "config.json") as JsonObject | null;
  const named = given.tokenizer_class ?? model?.tokenizer_class ?? null;
  if (map === null && named === (given.tokenizer_class ?? null)) return config;
  return {
    ...given,
    ...map as object | null,
    ...(named === null ? {} : { tokenizer_class: named }),
  };
}

/** The added tokens of added_tokens.json, which stands beside vocab.txt, as tokenizer.json holds them. */
async function readAdded(dir: string, config: unknown): Promise<readonly unknown[]> {
  const added = await readIfThere(dir, "added_tokens.json") ?? {};
  const named = new Set(Object.values(config ?? {}).flat().map(contentOf));
  return Object.entries(added)
    .map(([content, id]) => ({ id, content, normalized: !named.has(content) }));
}

/** The content of a JSON file; null where it is missing. */
async function readIfThere(dir: string, name: string): Promise<unknown> {
  const path = join(dir, name);
  return await isFile(path) ? await readWhole(path) : null;
}

/**
 * The same tokenizer, which lowercases texts before anything else: `do_lower_case` of sentence-transformers.
 * Accents stay where the tokenizer itself keeps them; offsets refer to the text as it was given.
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

/** Writes `tokenizer.json` and `tokenizer_config.json` into a model folder. */
export async function saveTokenizer(dir: string, tokenizer: Tokenizer): Promise<void> {
  const text = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
  await writeFileAtomic(join(dir, "tokenizer.json"), text(tokenizer.json));
  await writeFileAtomic(join(dir, "tokenizer_config.json"), text(tokenizer.config));
}

/** JSON of a tokenizer, with advice where it is damaged. */
async function readWhole(path: string): Promise<unknown> {
  try {
    return await readJson(path, "tokenizer");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`${error.message}; copy the file anew`);
  }
}
