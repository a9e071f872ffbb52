/**
 * A model that answers about raw text: embeddings, labels, entities. The engine computes it from weights;
 * ONNX Runtime computes it from an exported graph where a folder holds no weights.
 * @module
 */
import { join } from "node:path";
import { POOLING_MODES, type PoolingMode } from "@/config.ts";
import {
  createSentenceEncoder,
  type EncodeTextsOptions,
  encodeWholeTexts,
  type SentenceEncoder,
} from "@/eval/encode_texts.ts";
import {
  checkGraphChoice,
  createGraphPredictor,
  createGraphReader,
  graphPoolings,
  readEmbedding,
} from "@/eval/graph_model.ts";
import { type GraphExecutor, openCheckedGraph, readGraph } from "@/eval/open_graph.ts";
import { openSavedModel, type SavedModel } from "@/eval/open_saved_model.ts";
import { createPredictor, type Predictor } from "@/eval/predict_examples.ts";
import { checkHasTasks, createTextPredictor } from "@/eval/predict_texts.ts";
import type { TextPredictor } from "@/eval/read_texts.ts";
import { isFile, writeFileAtomic } from "@/files.ts";
import { readBertConfig, requireTokenRows } from "@/model/bert_config.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import { type HeadsFile, readHeadsFile, requirePositions } from "@/model/heads_file.ts";
import { findTask } from "@/model/multi_task.ts";
import { disposeModel } from "@/model/parameters.ts";
import { findLoneGraph, writeOnnxFile } from "@/model/save_onnx.ts";
import { loadTexts } from "@/model/sentence_settings.ts";
import type { ProgressView } from "@/progress.ts";
import { findPoolingStart, type PromptSettings, resolvePrompt } from "@/text/prompts.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** What a model is, whoever computes it. */
export type TextModelSettings =
  & Pick<HeadsFile, "pooling" | "normalize" | "maxLength" | "tasks">
  & { readonly prompts: PromptSettings };

/** A model that answers about raw text; declare it with `using`. */
export type TextModel = Disposable & {
  /** What computes an exported graph; null where the engine computes weights. */
  readonly executor: GraphExecutor | null;
  readonly settings: TextModelSettings;
  readonly tokenizer: Tokenizer;
  /** Poolings that embeddings can be asked for. */
  readonly poolings: readonly PoolingMode[];
  /** An encoder of raw texts. */
  createEncoder(options?: EncodeTextsOptions): SentenceEncoder;
  /** A predictor for raw texts; `rows` texts run together where weights are computed. */
  createPredictor(options?: { readonly rows?: number }): TextPredictor;
  /** A predictor for examples of one task, in batches padded to `lengths` where weights are computed. */
  predictorOf(task: string, lengths: readonly number[]): Predictor;
  /**
   * Writes a graph to `path` and gives the file's size: from weights one in eight bits with an embedding
   * for each of `poolings`, else a copy of the graph.
   */
  writeGraph(path: string): Promise<number>;
};

/** How a model is opened. */
export type OpenTextModelOptions = {
  /** Shows what is fetched from the Hub. */
  readonly view?: ProgressView;
  /** Threads of a graph; by default as many as the machine has. The engine has its own. */
  readonly threads?: number;
};

/** Opens the model of a run, of a folder or of a name on the Hub, from its weights or else its graph. */
export async function openTextModel(
  source: string,
  { view, threads }: OpenTextModelOptions = {},
): Promise<TextModel> {
  const folder = await findModelFolder(source, view ? { view } : {});
  const graph = await findLoneGraph(folder);
  return graph === null
    ? textModelOf(await openSavedModel(folder))
    : await openGraphModel(folder, { graph, threads });
}

/** The model that the engine computes from weights, which it takes over. */
export function textModelOf(saved: SavedModel): TextModel {
  const { model, tokenizer, maxLength, prompts } = saved;
  const { pooling, normalize, tasks, encoder } = model;
  const poolings = POOLING_MODES.filter((mode) => mode !== "cls" || encoder.pooler !== null);
  return {
    executor: null,
    settings: { pooling, normalize, maxLength, tasks, prompts },
    tokenizer,
    poolings,
    createEncoder: (options) => createSentenceEncoder(saved, options),
    createPredictor: (options) => createTextPredictor(saved, options),
    predictorOf: (task, lengths) => {
      const { pad: padId, cls: clsId } = tokenizer.ids;
      return createPredictor(model, task, { lengths, padId, clsId });
    },
    writeGraph: (path) => writeOnnxFile(path, model, { dtype: "q8", poolings }),
    [Symbol.dispose]: () => disposeModel(model),
  };
}

/** Opens a folder that holds a graph and no weights, as `deno task export --out` writes it. */
async function openGraphModel(
  folder: string,
  { graph: file, threads }: { readonly graph: string; readonly threads: number | undefined },
): Promise<TextModel> {
  const headsPath = join(folder, "heads.json"), path = join(folder, file);
  if (!await isFile(headsPath)) {
    throw new Deno.errors.NotFound(
      `Cannot open model as ${folder}, which holds no weights but ${file}, must hold heads.json: ` +
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
  const opened = await openCheckedGraph(path, Int32Array.of(cls, sep), {
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
      return createGraphReader(runGraph, {
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
