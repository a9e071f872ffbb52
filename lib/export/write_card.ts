/**
 * Composes the model card of a run from the run's other files and writes it into the model's folder.
 * @module
 */
import { join } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { isObject } from "@/schema.ts";
import type { CardOptions } from "@/export/card_metadata.ts";
import { composeCard, type OwnCard } from "@/export/model_card.ts";
import { readExportRecords } from "@/export/export_model.ts";
import { isFile, readText, writeFileAtomic } from "@/system/files.ts";
import { readHeadsFile } from "@/model/heads_file.ts";
import { ONNX_DTYPES, type OnnxDtype } from "@/model/onnx_weights.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import { readSentenceModules } from "@/model/sentence_modules.ts";
import { readTextSettings } from "@/model/sentence_settings.ts";
import { readRun } from "@/report/readers/read_run.ts";

/** File with the author's part of the card, in the run's folder. */
const OWN_CARD = "card.md";

/** Splits the author's part of a card into YAML metadata, between two lines of `---`, and text. */
export function parseOwnCard(content: string, path: string): OwnCard {
  const [whole, head] = /^---\r?\n([^]*?)\r?\n?---\r?(?:\n|$)/.exec(content) ?? [];
  const text = content.slice(whole?.length ?? 0).trim();
  if (head === undefined) return { metadata: {}, text };
  let metadata: unknown;
  try {
    metadata = parse(head) ?? {};
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    metadata = null;
  }
  if (isObject(metadata)) return { metadata, text };
  throw new SyntaxError(
    `${path}: the lines between --- at its head are not valid YAML metadata, such as ` +
      '"license: apache-2.0"',
  );
}

async function readOwnCard(dir: string): Promise<OwnCard> {
  const path = join(dir, OWN_CARD);
  if (!await isFile(path)) return { metadata: {}, text: "" };
  return parseOwnCard(await readText(path, "model card"), path);
}

/** Weight types of the ONNX graphs in a model's folder, most precise first. */
async function listGraphs(folder: string): Promise<readonly OnnxDtype[]> {
  const graphs: OnnxDtype[] = [];
  for (const dtype of ONNX_DTYPES) {
    if (await isFile(join(folder, ONNX_FILES[dtype]))) graphs.push(dtype);
  }
  return graphs;
}

/** Composes the card of the run in `dir`. Options that are not known yet, such as the repository, can be omitted. */
export async function readCard(dir: string, options: Partial<CardOptions> = {}): Promise<string> {
  const { repo = null, license = null } = options;
  const folder = join(dir, "model");
  const { prompts } = await readTextSettings(folder, await readSentenceModules(folder));
  const content = {
    record: await readRun(dir),
    settings: { ...await readHeadsFile(join(folder, "heads.json")), prompts },
    exports: await readExportRecords(dir),
    files: {
      weights: await isFile(join(folder, "model.safetensors")),
      graphs: await listGraphs(folder),
    },
    own: await readOwnCard(dir),
  };
  return composeCard(content, { repo, license });
}

/** Writes `model/README.md` of the run in `dir`; returns its path. */
export async function writeCard(dir: string): Promise<string> {
  const path = join(dir, "model", "README.md");
  await writeFileAtomic(path, await readCard(dir));
  return path;
}
