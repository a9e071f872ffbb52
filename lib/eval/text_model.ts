/**
 * A model for raw text: embeddings, labels, entities. The engine runs weights; ONNX Runtime runs an exported
 * graph if the folder holds no weights.
 * @module
 */
import { POOLING_MODES, type PoolingMode } from "@/config/config.ts";
import {
  createSentenceEncoder,
  type EncodeTextsOptions,
  type SentenceEncoder,
} from "@/eval/encode_texts.ts";
import { openGraphModel } from "@/eval/graph_text_model.ts";
import { type GraphExecutor, openGraph } from "@/eval/open_graph.ts";
import { openSavedModel, type SavedModel } from "@/eval/open_saved_model.ts";
import { createPredictor, createTextPredictor, type Predictor } from "@/eval/predict_examples.ts";
import type { TextPredictor } from "@/eval/text_predictor.ts";
import { findModelFolder } from "@/model/find_model_folder.ts";
import type { HeadsFile } from "@/model/heads_file.ts";
import { disposeModel } from "@/model/parameters.ts";
import { findGraphWithoutWeights, writeOnnxFile } from "@/model/save_onnx.ts";
import type { ProgressView } from "@/progress.ts";
import type { PromptSettings } from "@/text/prompts.ts";
import type { Tokenizer } from "@/text/tokenizer.ts";

/** Settings of a model, independent of the backend. */
export type TextModelSettings =
  & Pick<HeadsFile, "pooling" | "normalize" | "maxLength" | "tasks">
  & { readonly prompts: PromptSettings };

/** A model for raw text; declare it with `using`. */
export type TextModel = Disposable & {
  /** The runtime of an exported graph; null if the engine runs weights. */
  readonly executor: GraphExecutor | null;
  /** Pooling, normalization, maximum length, tasks and prompts. */
  readonly settings: TextModelSettings;
  readonly tokenizer: Tokenizer;
  /** Poolings available for embeddings. */
  readonly poolings: readonly PoolingMode[];
  /** Creates an encoder of raw texts. */
  createEncoder(options?: EncodeTextsOptions): SentenceEncoder;
  /** Creates a predictor for raw texts. `rows` is the batch size for weights; graphs run one text at a time. */
  createPredictor(options?: { readonly rows?: number }): TextPredictor;
  /** Predictor for examples of one task. With weights, batches are padded to one of `lengths`. */
  predictorOf(task: string, lengths: readonly number[]): Predictor;
  /**
   * Writes an exported graph to `path` and returns the file size in bytes. From weights, it writes an
   * eight-bit graph with one embedding output per pooling; from a graph, it copies the file.
   */
  writeGraph(path: string): Promise<number>;
};

/** Options of {@link openTextModel}. */
export type OpenTextModelOptions = {
  /** Shows the progress of downloads from the Hub. */
  readonly view?: ProgressView;
  /** Threads for a graph; the number of CPU threads by default. The engine has a setting of its own. */
  readonly threads?: number;
};

/** Opens the model of a run, a folder or the Hub: its weights if present, else its exported graph. */
export async function openTextModel(
  source: string,
  { view, threads }: OpenTextModelOptions = {},
): Promise<TextModel> {
  const folder = await findModelFolder(source, view ? { view } : {});
  const graph = await findGraphWithoutWeights(folder);
  return graph === null
    ? textModelOf(await openSavedModel(folder))
    : await openGraphModel(folder, { graph, threads, open: openGraph });
}

/** Wraps a model whose weights the engine runs. Takes ownership of the model. */
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
