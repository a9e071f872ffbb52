/**
 * Sentence embeddings, topics and entities in Node.js, from a model folder with an exported ONNX graph, as
 * `deno task export` writes it. No training: that needs Deno and its FFI.
 *
 * @example
 * ```ts
 * import { load, similarity } from "@/api/node_library.ts";
 * using model = await load("outputs/minilm-bfloat16/model");
 * const [first, second] = await model.encode(["A goal in the last minute.", "The bank cut its rates."]);
 * // similarity([first], [second]);
 * await model.predict(["Serena Okafor won the marathon in Boston."]);
 * ```
 * @module
 */
import type { NormalizeMode, PoolingMode } from "@/config/config.ts";
import type { Row } from "@/data/rows.ts";
import { openNodeGraph } from "@/engine/onnx/node_graph.ts";
import { predictRows, scoreRows, type TaskScores } from "@/eval/evaluate_rows.ts";
import { openGraphModel } from "@/eval/graph_text_model.ts";
import { graphOutputs, type OpenGraph, wrapGraph } from "@/eval/open_graph.ts";
import { measureSimilarity, type Similarity } from "@/eval/embedding_similarity.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import { isFolder } from "@/system/files.ts";
import { findTask, type ModelTask } from "@/model/multi_task.ts";
import { GRAPH_INPUTS } from "@/model/onnx_names.ts";
import { findGraph } from "@/model/save_onnx.ts";
import { encodeRows } from "@/text/encode_rows.ts";
import { resolvePrompt } from "@/text/prompts.ts";
import { availableParallelism } from "node:os";

export {
  NORMALIZE_MODES,
  type NormalizeMode,
  POOLING_MODES,
  type PoolingMode,
  TASK_KINDS,
  type TaskKind,
} from "@/config/config.ts";
export type { Row, TaggedRow, TextRow } from "@/data/rows.ts";
export type { Calibration, CalibrationBin } from "@/eval/calibration.ts";
export type { ClassificationScores, ClassScores } from "@/eval/classification.ts";
export type { EntityScores, TypeScores } from "@/eval/entities.ts";
export {
  type EntityErrors,
  ERROR_KINDS,
  type ErrorCounts,
  type ErrorKind,
} from "@/eval/entity_errors.ts";
export type { TaskScores } from "@/eval/evaluate_rows.ts";
export type { Interval } from "@/statistics.ts";
export { SIMILARITIES, type Similarity } from "@/eval/embedding_similarity.ts";
export type { PredictedEntity, PredictedLabel, TextPrediction } from "@/eval/text_predictor.ts";
export type { ModelTask } from "@/model/multi_task.ts";

/** Options of {@link load}. */
export type LoadOptions = {
  /** Number of threads; by default that of the processor. */
  readonly threads?: number;
};

/** Options of an encoding; the model's own settings are the defaults. */
export type EncodeOptions = {
  /** Name of one of the model's prompts. */
  readonly promptName?: string;
  /** Text to prepend to each text. */
  readonly prompt?: string;
  readonly pooling?: PoolingMode;
  readonly normalize?: NormalizeMode;
};

/** An opened model; declare it with `using`, or call `close`. */
export type GraphModel = Disposable & {
  /** Tasks with their labels. */
  readonly tasks: readonly ModelTask[];
  /** Longest input in tokens, [CLS] and [SEP] included. */
  readonly maxLength: number;
  /** [E] an embedding of each text. Texts beyond the model's limit are truncated. */
  encode(texts: readonly string[], options?: EncodeOptions): Promise<Float32Array[]>;
  /** Labels and entities of each text, by task. */
  predict(texts: readonly string[]): Promise<TextPrediction[]>;
  /** Scores a task on rows with gold labels: `{ text, label }` or `{ tokens, tags }`. */
  evaluate(task: string, rows: readonly Row[]): Promise<TaskScores>;
  /** Frees the model's memory. */
  close(): void;
};

const openGraph: OpenGraph = async (bytes, shape) => {
  const { threads = availableParallelism() } = shape;
  const outputs = graphOutputs(shape.tasks);
  const graph = await openNodeGraph(bytes, { inputs: GRAPH_INPUTS, outputs, threads });
  return wrapGraph(graph, { ...shape, threads });
};

/** Opens a model folder that contains `heads.json` and an exported graph. */
export async function load(folder: string, { threads }: LoadOptions = {}): Promise<GraphModel> {
  if (!await isFolder(folder)) {
    throw new Deno.errors.NotFound(`Cannot open model: there is no folder ${folder}`);
  }
  const graph = await findGraph(folder);
  if (graph === null) {
    throw new Deno.errors.NotFound(
      `Cannot open model ${folder}: it holds no exported graph; export one with \`deno task export\``,
    );
  }
  const model = await openGraphModel(folder, { graph, threads, open: openGraph });
  const { tokenizer, settings } = model;
  const { tasks, maxLength, prompts } = settings;
  const close = () => model[Symbol.dispose]();
  return {
    tasks,
    maxLength,
    encode: (texts, options = {}) => model.createEncoder(options).encode(texts),
    predict: (texts) => model.createPredictor().predict(texts),
    async evaluate(name, rows) {
      const task = findTask(settings, name);
      const { kind, labels } = task;
      const prompt = resolvePrompt(prompts);
      const options = { tokenizer, kind, maxLength, prompt, windows: "overlap" } as const;
      const { examples } = encodeRows(rows, options);
      const predictor = model.predictorOf(name, []);
      return scoreRows(rows, await predictRows(predictor, task, { rows, examples }), { labels });
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** [E] an embedding of each text. It opens the model at each call; {@link load} keeps it open. */
export async function encode(
  folder: string,
  texts: readonly string[],
  options: EncodeOptions = {},
): Promise<Float32Array[]> {
  using model = await load(folder);
  return await model.encode(texts, options);
}

/** Labels and entities of each text, by task. It opens the model at each call; {@link load} keeps it open. */
export async function predict(
  folder: string,
  texts: readonly string[],
): Promise<TextPrediction[]> {
  using model = await load(folder);
  return await model.predict(texts);
}

/** [A][B] the similarity of each of A embeddings to each of B; larger is more alike, distances are negative. */
export function similarity(
  first: readonly Float32Array[],
  second: readonly Float32Array[],
  measure: Similarity = "cosine",
): number[][] {
  return first.map((a) => second.map((b) => measureSimilarity(measure, a, b)));
}
