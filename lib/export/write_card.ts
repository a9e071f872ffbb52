/**
 * Writes the card of a run's model into the model's folder, from the run's other files.
 * @module
 */
import { join } from "node:path";
import type { CardOptions } from "@/export/card_metadata.ts";
import { composeCard } from "@/export/model_card.ts";
import { type ExportRecords, readExportRecords } from "@/export/score_exports.ts";
import { isFile, writeFileAtomic } from "@/files.ts";
import { readHeadsFile } from "@/model/heads_file.ts";
import { ONNX_DTYPES } from "@/model/onnx_weights.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import { readSentenceModules } from "@/model/sentence_modules.ts";
import { readTextSettings } from "@/model/sentence_settings.ts";
import { readRun } from "@/report/read_run.ts";

/** Composes the card of the run in `dir`, whose model may not have been pushed yet. */
export async function readCard(dir: string, options: Partial<CardOptions> = {}): Promise<string> {
  const { repo = null, license = null } = options;
  const scored = await readExportRecords(dir), exports: ExportRecords = {};
  for (const dtype of ONNX_DTYPES) { // a file that went elsewhere or is gone is not the model's
    const record = scored[dtype];
    if (record !== undefined && await isFile(join(dir, "model", ONNX_FILES[dtype]))) {
      exports[dtype] = record;
    }
  }
  const folder = join(dir, "model");
  const { prompts } = await readTextSettings(folder, await readSentenceModules(folder));
  const content = {
    record: await readRun(dir),
    settings: { ...await readHeadsFile(join(folder, "heads.json")), prompts },
    exports,
  };
  return composeCard(content, { repo, license });
}

/** Writes `model/README.md` of the run in `dir`; gives its path. */
export async function writeCard(dir: string): Promise<string> {
  const path = join(dir, "model", "README.md");
  await writeFileAtomic(path, await readCard(dir));
  return path;
}
