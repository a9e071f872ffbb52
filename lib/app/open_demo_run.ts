/**
 * Opens a run for the demo page: its model, and what the page tells of it.
 * @module
 */
import { basename, join, resolve } from "node:path";
import { isObject } from "@/config_rules.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";
import type { TextModel } from "@/eval/text_model.ts";
import { readCard } from "@/export/write_card.ts";
import { isFile, readJson, readText } from "@/files.ts";
import { renderPage } from "@/report/html.ts";
import { writtenExamples } from "./written_examples.ts";

/** What is known of a model beyond its own files. */
export type ModelFacts = {
  /** The run's name. */
  readonly run: string;
  /** Texts to try, at least one. */
  readonly examples: readonly string[];
  /** True if the model was trained on the built-in sample, whose sentences are generated. */
  readonly trainedOnSample: boolean;
};

/** A run with its model open. */
export type DemoRun = {
  readonly folder: string;
  readonly model: TextModel;
  readonly facts: ModelFacts;
  /** The run's report as a whole HTML page; null: there is none. */
  readonly report: string | null;
  /** The model's card as a whole HTML page; null: there is none. */
  readonly card: string | null;
};

async function readOptional(path: string): Promise<unknown> {
  return await isFile(path) ? await readJson(path, "run") : null;
}

/** Texts of `examples.json`, which training writes. */
async function readExamples(folder: string): Promise<readonly string[]> {
  const content = await readOptional(join(folder, "examples.json"));
  const texts: unknown = isObject(content) ? content["texts"] : null;
  if (!Array.isArray(texts)) return [];
  return texts.filter((text): text is string => typeof text === "string" && text.trim() !== "");
}

/** True if the run's configuration names the built-in sample. */
async function readTrainedOnSample(folder: string): Promise<boolean> {
  const config = await readOptional(join(folder, "config.json"));
  const data: unknown = isObject(config) ? config["data"] : null;
  return isObject(data) && data["dir"] === SAMPLE_DIR;
}

/** Reads what is known of the run in `folder`, whose model is open. */
export async function readModelFacts(
  folder: string,
  { settings }: Pick<TextModel, "settings">,
): Promise<ModelFacts> {
  const examples = await readExamples(folder);
  return {
    run: basename(resolve(folder)),
    examples: examples.length > 0 ? examples : writtenExamples(settings.tasks),
    trainedOnSample: await readTrainedOnSample(folder),
  };
}

/** The card in the model's folder, else one made from the run's files. */
async function readCardPage(folder: string, title: string): Promise<string | null> {
  for (const path of [join(folder, "model", "README.md"), join(folder, "README.md")]) {
    if (await isFile(path)) return renderCard(await readText(path, "model card"), title);
  }
  if (!await isFile(join(folder, "summary.json"))) return null;
  return renderCard(await readCard(folder), title);
}

/** A card as a page, without the metadata at its head. */
function renderCard(card: string, title: string): string {
  const markdown = card.replace(/^---\r?\n[^]*?\r?\n---\r?\n/, "")
    .replace(/!\[([^\]]*)\]\([^)]*\)/g, "$1"); // pictures are elsewhere
  return renderPage({ markdown, figures: new Map() }, { title });
}

/** Opens a model folder, and the engine where that computes it. */
export type OpenModel = (folder: string) => Promise<TextModel>;

/** Opens the run in `folder`, or any other model folder. */
export async function openDemoRun(
  folder: string,
  open: OpenModel,
): Promise<DemoRun> {
  const model = await open(folder);
  const facts = await readModelFacts(folder, model);
  const path = join(folder, "report.html");
  return {
    folder,
    model,
    facts,
    report: await isFile(path) ? await readText(path, "report") : null,
    card: await readCardPage(folder, `${facts.run}: model card`),
  };
}
