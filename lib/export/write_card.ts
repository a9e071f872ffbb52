/**
 * Writes the card of a run's model into the model's folder, from the run's other files.
 * @module
 */
import { join } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { isObject } from "@/config_rules.ts";
import type { CardOptions } from "@/export/card_metadata.ts";
import { composeCard, type OwnCard } from "@/export/model_card.ts";
import { readExportRecords } from "@/export/score_exports.ts";
import { isFile, readText, writeFileAtomic } from "@/files.ts";
import { readHeadsFile } from "@/model/heads_file.ts";
import { ONNX_DTYPES, type OnnxDtype } from "@/model/onnx_weights.ts";
import { ONNX_FILES } from "@/model/save_onnx.ts";
import { readSentenceModules } from "@/model/sentence_modules.ts";
import { readTextSettings } from "@/model/sentence_settings.ts";
import { readRun } from "@/report/read_run.ts";

/** The author's part of a card, in the folder of the run. */
const OWN_CARD = "card.md";

/** Splits the author's part of a card into metadata, between two lines of `---`, and text. */
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
    `Cannot read model card as the lines between --- at the head of ${path} must be YAML such as ` +
      '"license: apache-2.0"',
  );
}

async function readOwnCard(dir: string): Promise<OwnCard> {
  const path = join(dir, OWN_CARD);
  if (!await isFile(path)) return { metadata: {}, text: "" };
  return parseOwnCard(await readText(path, "model card"), path);
}

/** The graphs that a model's folder holds, the most exact first. */
async function listGraphs(folder: string): Promise<readonly OnnxDtype[]> {
  const graphs: OnnxDtype[] = [];
  for (const dtype of ONNX_DTYPES) {
    if (await isFile(join(folder, ONNX_FILES[dtype]))) graphs.push(dtype);
  }
  return graphs;
}

/** Composes the card of the run in `dir`, whose model may not have been pushed yet. */
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

/** Writes `model/README.md` of the run in `dir`; gives its path. */
export async function writeCard(dir: string): Promise<string> {
  const path = join(dir, "model", "README.md");
  await writeFileAtomic(path, await readCard(dir));
  return path;
}
