/**
 * Opens a run for the demo page: its model, and the facts that the page shows about it.
 * @module
 */

import { basename, join, resolve } from "node:path";
import { isObject } from "@/schema.ts";
import { SAMPLE_DIR } from "@/data/open_source.ts";
import type { TextModel } from "@/eval/text_model.ts";
import { readCard } from "@/export/write_card.ts";
import { isFile, readJson, readText } from "@/system/files.ts";
import { renderPage } from "@/report/html.ts";
import type { ModelTask } from "@/model/multi_task.ts";

/** Facts about a model that its own files do not contain. */
export type ModelFacts = {
  /** Name of the run. */
  readonly run: string;
  /** Example texts, at least one. */
  readonly examples: readonly string[];
  /** True if the model was trained on the built-in sample, whose sentences are generated. */
  readonly trainedOnSample: boolean;
};

/** Run whose model is open. */
export type DemoRun = {
  readonly folder: string;
  readonly model: TextModel;
  readonly facts: ModelFacts;
  /** Report of the run as a complete HTML page; null if there is none. */
  readonly report: string | null;
  /** Model card as a complete HTML page; null if there is none. */
  readonly card: string | null;
};

async function readOptional(path: string): Promise<unknown> {
  return await isFile(path) ? await readJson(path, "run") : null;
}

/** Reads the texts of `examples.json`, which training writes; empty if there is no such file. */
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

/** Reads the facts about the run in `folder`, whose model is already open. */
async function readModelFacts(
  folder: string,
  { settings }: Pick<TextModel, "settings">,
): Promise<ModelFacts> {
  const examples = await readExamples(folder);
  return {
    run: basename(resolve(folder)),
    examples: examples.length > 0 ? examples : chooseExamples(settings.tasks),
    trainedOnSample: await readTrainedOnSample(folder),
  };
}

/** Model card from the model's folder, else one generated from the run's files; null if there is neither. */
async function readCardPage(folder: string, title: string): Promise<string | null> {
  for (const path of [join(folder, "model", "README.md"), join(folder, "README.md")]) {
    if (await isFile(path)) return renderCard(await readText(path, "model card"), title);
  }
  if (!await isFile(join(folder, "summary.json"))) return null;
  return renderCard(await readCard(folder), title);
}

/** Renders a card as an HTML page, without its YAML metadata. */
function renderCard(card: string, title: string): string {
  const markdown = card.replace(/^---\r?\n[^]*?\r?\n---\r?\n/, "")
    .replace(/!\[([^\]]*)\]\([^)]*\)/g, "$1"); // the page does not have the card's images
  return renderPage({ markdown, figures: new Map() }, { title });
}

/** Opens a model folder, and also the engine if the model needs it. */
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

/** For models of news topics or of people, organizations and places. */
const NEWS = [
  "President Marie Dubois met officials of the United Nations in Geneva on Monday after talks with Iran failed.",
  "Striker Carlos Ortega scored twice as Sevilla beat Ajax 3-1 in the Champions League on Tuesday.",
  "Shares of Siemens rose 4 percent in Frankfurt after the company raised its forecast.",
  "Researchers at Stanford University have built a phone battery that charges in five minutes.",
] as const;

/** For all other models. */
const GENERAL = [
  "The delivery was two days late, but the support team solved it within an hour.",
  "I would buy this again at once: it is light, quiet and easy to clean.",
  "Could you tell me how to change the address of my order?",
  "The screen stopped working after a week, and nobody answers my messages.",
] as const;

/** Labels of models for news topics or named entities. */
const NEWS_LABELS = /^(World|Sports?|Business|Sci\/Tech|[BI]-(PER|PERSON|ORG|LOC|GPE))$/;

/** Chooses example texts by the labels of a model's tasks. */
export function chooseExamples(tasks: readonly Pick<ModelTask, "labels">[]): readonly string[] {
  return tasks.some(({ labels }) => labels.some((label) => NEWS_LABELS.test(label)))
    ? NEWS
    : GENERAL;
}
