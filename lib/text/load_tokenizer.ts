/**
 * Tokenizers in model folders: read and written.
 * @module
 */

import { join } from "node:path";
import { isFile, readJson, readText, writeFileAtomic } from "@/files.ts";
import { buildTokenizerFiles } from "@/text/bert_tokenizer_json.ts";
import { type Tokenizer, tokenizerFromJson } from "@/text/tokenizer.ts";

/**
 * Reads the tokenizer of a model folder: `tokenizer.json` with `tokenizer_config.json` beside it, or,
 * where an old checkpoint has no tokenizer.json, its `vocab.txt`.
 */
export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  const path = join(dir, "tokenizer.json");
  const configPath = join(dir, "tokenizer_config.json"), listPath = join(dir, "vocab.txt");
  const config = await isFile(configPath) ? await readWhole(configPath) : null;
  if (await isFile(path)) return tokenizerFromJson(await readWhole(path), config, path);
  if (await isFile(listPath)) {
    const lines = (await readText(listPath, "vocabulary")).split(/\r?\n/);
    const pieces = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
    const lowercase = (config as { do_lower_case?: unknown } | null)?.do_lower_case !== false;
    return tokenizerFromJson(buildTokenizerFiles(pieces, { lowercase }).json, config, listPath);
  }
  throw new Deno.errors.NotFound(
    `Cannot load tokenizer as the model folder must hold tokenizer.json or vocab.txt: ` +
      `${dir} has neither; copy the file from where the checkpoint comes from`,
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
