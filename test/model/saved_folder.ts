/**
 * A tiny model saved in a folder, for tests of model folders.
 * @module
 */
import { join } from "node:path";
import { disposeModel, type MultiTask } from "@/model/parameters.ts";
import { saveModel } from "@/model/save_model.ts";
import { NO_PROMPTS } from "@/text/prompts.ts";
import { createTinyModel } from "./tiny_model.ts";

/** Placeholder for a tokenizer: these tests do not tokenize. */
export const TOKENIZER = { json: { model: "of words" }, config: { do_lower_case: true } };

/** Runs `test` with a temporary folder. */
async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Saves a randomly initialized model with `options` into a temporary folder and passes both to `test`. */
export async function withSaved(
  options: Parameters<typeof createTinyModel>[0],
  test: (folder: string, model: MultiTask) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const model = createTinyModel(options);
    try {
      await saveModel(folder, model, { tokenizer: TOKENIZER, maxLength: 9, prompts: NO_PROMPTS });
      await test(folder, model);
    } finally {
      disposeModel(model);
    }
  });
}

/** The content of a JSON file. */
export const readJsonFile = async (...path: string[]) =>
  JSON.parse(await Deno.readTextFile(join(...path)));
