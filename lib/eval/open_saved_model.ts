/**
 * A saved model, ready to be asked: of a run, or of any folder that holds a BERT checkpoint.
 * @module
 */

import { join } from "node:path";
import { isFile, isFolder } from "@/files.ts";
import { loadModel } from "@/model/load_model.ts";
import type { MultiTask } from "@/model/parameters.ts";
import { loadTokenizer, type Tokenizer } from "@/text/tokenizer.ts";

/** A model with all that raw text needs on its way in. */
export type SavedModel = {
  readonly model: MultiTask;
  readonly tokenizer: Tokenizer;
  /** Longest input in word pieces, [CLS] and [SEP] included. */
  readonly maxLength: number;
};

/** Padded lengths of what is predicted and encoded: few, as each is a program of its own. */
const LENGTHS = [16, 32, 64, 128, 256, 512];

/** Padded lengths up to a model's limit, the limit included. */
export function paddedLengths({ maxLength }: Pick<SavedModel, "maxLength">): readonly number[] {
  return [...LENGTHS.filter((length) => length < maxLength), maxLength];
}

/** The folder of a model that is called by its run's folder or by its own. */
export async function findModelFolder(source: string): Promise<string> {
  const ofRun = join(source, "model");
  for (const folder of [ofRun, source]) {
    if (folder === source && await isFile(join(source, "environment.json"))) {
      throw new Deno.errors.NotFound(
        `Cannot open model as run ${source} must hold model/config.json: it has not ended, or was ` +
          "kept without its weights",
      );
    }
    for (const name of ["config.json", "modules.json"]) {
      if (await isFile(join(folder, name))) return folder;
    }
  }
  throw new Deno.errors.NotFound(
    `Cannot open model as ${source} must be a run's folder or hold config.json: ${
      await isFolder(source) ? "it does not" : "there is no such folder"
    }`,
  );
}

/** Opens the model of a run, or the one in a folder. */
export async function openSavedModel(source: string): Promise<SavedModel> {
  const folder = await findModelFolder(source);
  const tokenizer = await loadTokenizer(folder); // before the weights, which take longer
  const { model, maxLength } = await loadModel(folder);
  return { model, tokenizer, maxLength };
}
