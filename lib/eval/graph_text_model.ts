/**
 * A model for raw text whose exported graph a runtime runs: ONNX Runtime by FFI in Deno, its package in Node.js.
 * @module
 */
import { join } from "node:path";
import { encodeWholeTexts } from "@/eval/encode_texts.ts";
import {
  checkGraphChoice,
  createGraphPredictor,
  createGraphTextPredictor,
  graphPoolings,
  readEmbedding,
} from "@/eval/graph_model.ts";
import { openCheckedGraph, type OpenGraph, readGraph } from "@/eval/open_graph.ts";
import { checkHasTasks } from "@/eval/text_predictor.ts";
import type { TextModel } from "@/eval/text_model.ts";
import { isFile, writeFileAtomic } from "@/system/files.ts";
import { readBertConfig, requireTokenRows } from "@/model/bert_config.ts";
import { readHeadsFile, requirePositions } from "@/model/heads_file.ts";
import { findTask } from "@/model/multi_task.ts";
import { loadTexts } from "@/model/sentence_settings.ts";
import { findPoolingStart, resolvePrompt } from "@/text/prompts.ts";

/** Opens a folder that holds a graph but no weights, as `deno task export --out` writes it. */
export async function openGraphModel(
  folder: string,
  { graph: file, threads, open }: {
    /** Path of the graph in the folder. */
    readonly graph: string;
    readonly threads: number | undefined;
    /** Opens the graph with a runtime. */
    readonly open: OpenGraph;
  },
): Promise<TextModel> {
  const headsPath = join(folder, "heads.json"), path = join(folder, file);
  if (!await isFile(headsPath)) {
    throw new Deno.errors.NotFound(
      `Cannot open model ${folder}: it holds the graph ${file}, no weights, and no heads.json; ` +
        "export the model again with `deno task export`",
    );
  }
  const heads = await readHeadsFile(headsPath);
  const { tasks, maxLength, embeddingSize, pooling } = heads;
  const config = await readBertConfig(folder);
  const { tokenizer, prompts } = await loadTexts(folder);
  requireTokenRows(config, tokenizer.vocabularySize, folder);
  requirePositions(config, maxLength, headsPath);
  const startOf = (prompt: string) => findPoolingStart(prompts, prompt, { tokenizer, maxLength });
  const defaultPrompt = resolvePrompt(prompts);
  const settings = { ...heads, prompts, poolingStart: startOf(defaultPrompt) };
  const { cls, sep } = tokenizer.ids;
  const opened = await openCheckedGraph(open, path, Int32Array.of(cls, sep), {
    hidden: config.hiddenSize,
    size: embeddingSize ?? config.hiddenSize,
    tasks,
    threads,
  });
  const { runGraph, executor } = opened;
  return {
    executor,
    settings,
    tokenizer,
    poolings: graphPoolings(settings),
    createEncoder: (options = {}) => {
      const { normalize = settings.normalize } = options;
      const prompt = resolvePrompt(prompts, options);
      const poolingStart = startOf(prompt);
      const choice = { pooling: options.pooling ?? pooling, normalize, poolingStart };
      checkGraphChoice(settings, choice);
      return {
        async encode(texts) {
          const found: Float32Array[] = [];
          for (const { ids } of encodeWholeTexts(texts, { tokenizer, maxLength, prompt })) {
            const outputs = await runGraph(ids);
            found.push(readEmbedding(outputs, { ...choice, tokens: ids.length, settings }));
          }
          return found;
        },
      };
    },
    createPredictor: () => {
      checkHasTasks(tasks);
      return createGraphTextPredictor(runGraph, {
        ...{ tasks, tokenizer, maxLength },
        prompt: defaultPrompt,
      });
    },
    predictorOf: (task) => createGraphPredictor(runGraph, findTask(settings, task)),
    writeGraph: async (target) => {
      const bytes = await readGraph(path);
      await writeFileAtomic(target, bytes);
      return bytes.length;
    },
    [Symbol.dispose]: () => opened[Symbol.dispose](),
  };
}
