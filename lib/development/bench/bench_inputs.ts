/**
 * Inputs of the benchmarks `encode` and `epoch`: a model folder, texts, the batches of a run.
 * @module
 */
import { join } from "node:path";
import type { ModelConfig, RunConfig, TaskConfig } from "@/config/config.ts";
import { textOfRow } from "@/data/rows.ts";
import { openEngine } from "@/engine/engine.ts";
import { isFile, readText, writeFileAtomic } from "@/system/files.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { createModel } from "@/model/initialize.ts";
import { disposeModel } from "@/model/parameters.ts";
import { saveModel } from "@/model/save_model.ts";
import { splitLines } from "@/plain_text.ts";
import { resolveConfig } from "@/config/resolve_config.ts";
import { tokenizerFromJson } from "@/text/tokenizer.ts";
import { learnVocabulary } from "@/text/vocabulary.ts";
import { NO_PROMPTS } from "@/text/prompts.ts";
import { prepareRun } from "@/train/prepare_run.ts";
import { loadRunRows } from "@/train/run_data.ts";
import type { BenchInputs } from "./benchmarks.ts";
import { drawShapes } from "./measure_epoch.ts";
import { createBenchEncoder } from "./measure_step.ts";

/** Options of the command line that choose configuration, model and data. */
export type BenchOptions = {
  readonly set: readonly string[];
  readonly model?: string | undefined;
  readonly data?: string | undefined;
};

/** Largest vocabulary to learn if no model is given. A larger one takes long to learn and changes no timing. */
const MAX_VOCABULARY = 4000;

/**
 * Resolves the configuration of a benchmark. The defaults are the preset `minilm` with a randomly initialized
 * encoder and the built-in sample, so nothing is downloaded.
 */
export function resolveBenchConfig({ set, model, data }: BenchOptions): RunConfig {
  return resolveConfig({
    preset: "minilm",
    set: ["model.source=null", "data.dir=sample", "tasks.1.alsoTest=[]", ...set],
    shortcuts: { model, data },
  });
}

/** Texts of the test split of the first classification task, each as a single line. */
export async function readTestTexts(config: RunConfig): Promise<readonly string[]> {
  const task = config.tasks.find(({ kind }) => kind === "classification");
  if (task === undefined) {
    throw new RangeError(
      "Cannot measure encode: without --texts, there must be a classification task to take texts from",
    );
  }
  const tasks: readonly TaskConfig[] = [{ ...task, alsoTest: [] }];
  const loaded = await loadRunRows({ ...config, tasks });
  return loaded.flatMap(({ test }) => test.map((row) => textOfRow(row).replace(/\s+/g, " ")));
}

/** Saves a randomly initialized model of the configured shape with a vocabulary learned from `texts`. */
async function saveFreshModel(
  folder: string,
  { fresh, maxLength }: ModelConfig,
  texts: readonly string[],
): Promise<void> {
  const size = Math.min(MAX_VOCABULARY, fresh.vocabularySize);
  const { json, config } = learnVocabulary(texts, { size, lowercase: true });
  const tokenizer = tokenizerFromJson(json, config, "the learned vocabulary");
  const model = createModel(createBenchEncoder(fresh, fresh), {
    tasks: [],
    pooling: "mean",
    embeddingSize: null,
    normalize: "none",
    seed: 1,
  });
  try {
    await saveModel(folder, model, { tokenizer, maxLength, prompts: NO_PROMPTS });
  } finally {
    disposeModel(model);
  }
}

/**
 * Creates the inputs of the benchmarks, each on demand.
 *
 * @param options.texts path of a file with one text per line; null for the texts of the test split
 * @param options.folder folder for temporary files
 */
export function createBenchInputs(
  config: RunConfig,
  { texts, folder }: { readonly texts: string | null; readonly folder: string },
): BenchInputs {
  return {
    async encode() {
      if (texts !== null && !await isFile(texts)) {
        throw new Deno.errors.NotFound(`Cannot measure encode: --texts is not a file: ${texts}`);
      }
      const { source } = config.model;
      const path = texts ?? join(folder, "texts.txt");
      if (texts === null) {
        await writeFileAtomic(path, (await readTestTexts(config)).join("\n") + "\n");
      }
      if (source !== null) return { model: await findModelFolder(source), texts: path };
      await openEngine();
      const model = join(folder, "model");
      const lines = splitLines(await readText(path, "texts"));
      await saveFreshModel(model, config.model, lines);
      return { model, texts: path };
    },
    async epoch(steps, lengths) {
      await openEngine();
      const { training, model: { maxLength } } = config;
      const own: RunConfig = lengths === "buckets"
        ? config
        : { ...config, training: { ...training, lengths: [maxLength] } };
      const run = await prepareRun(own, null);
      try {
        return { config: own, shape: drawShapes(run, steps) };
      } finally {
        run.dispose();
      }
    },
  };
}
