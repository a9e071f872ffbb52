/**
 * The public API: train a run, evaluate it, encode texts and predict labels with its model, and write its report,
 * graphs and model card. Everything outside this module may change between releases.
 *
 * It needs Deno, because the engine calls native code through Deno's FFI. For Node.js and browsers, `exportModel`
 * writes ONNX graphs. The functions open the engine with default options when
 * they need it; {@link openEngine} opens it with other options.
 *
 * @example
 * ```ts
 * import { encode, similarity, train } from "@/api/library.ts";
 * // const { dir, scores } = await train({ overrides: { training: { maxSteps: 20 } } });
 * // scores.classification("ag_news").accuracy; // throws with the tasks that exist if it has another name
 * // const [first, second] = await encode(dir, ["A sentence.", "Another one."]);
 * // similarity([first], [second]); // [[cosine]]
 * ```
 * @module
 */
import { join } from "node:path";
import { RunScores, scoreRun } from "@/export/score_run.ts";
import type { EngineOptions, Precision } from "@/engine/options.ts";
import {
  currentEngine,
  type OpenedEngine,
  openEngine as openEngineAlone,
} from "@/engine/engine.ts";
import { embedTexts } from "@/eval/compare_embeddings.ts";
import type { EncodeTextsOptions } from "@/eval/encode_texts.ts";
import type { TextPrediction } from "@/eval/text_predictor.ts";
import { inspectFromEnvironment } from "@/inspect/inspect_into.ts";
import { measureSimilarity, type Similarity } from "@/eval/embedding_similarity.ts";
import { openTextModel, type OpenTextModelOptions, type TextModel } from "@/eval/text_model.ts";
import { openConfiguredEngine } from "@/system/configured_engine.ts";
import { readJson } from "@/system/files.ts";
import { nextKernelInterrupt } from "@/system/interrupt.ts";
import { SILENT } from "@/progress.ts";
import { resolveConfig } from "@/config/resolve_config.ts";

export {
  compare,
  type ComparedRuns,
  figures,
  loadRun,
  loadRuns,
  type RunResults,
  type RunSource,
  tables,
} from "./training.ts";
export { RunScores } from "@/export/score_run.ts";
export { type ProgressOption, train, type TrainedRun, type TrainSettings } from "./training.ts";
export {
  type AdamConfig,
  type DataConfig,
  type DropoutConfig,
  type EarlyStoppingConfig,
  type FreshModelConfig,
  type LearningRateConfig,
  LOSS_WEIGHTS,
  type LossScaleConfig,
  type LossWeights,
  METRICS,
  type Mixing,
  MIXINGS,
  type ModelConfig,
  type NativeConfig,
  NORMALIZE_MODES,
  type NormalizeMode,
  POOLING_MODES,
  type PoolingMode,
  type RunConfig,
  type Schedule,
  SCHEDULES,
  type SplitConfig,
  TASK_KINDS,
  type TaskColumns,
  type TaskConfig,
  type TaskKind,
  type TensorflowConfig,
  type TextColumns,
  type TokenColumns,
  type TrainingConfig,
} from "@/config/config.ts";
export {
  type Device,
  DEVICES,
  type EngineOptions,
  type ExecutorChoice,
  EXECUTORS,
  type Isa,
  ISAS,
  type Precision,
  PRECISIONS,
} from "@/engine/options.ts";
export type { SentencePair } from "@/data/sentence_pairs.ts";
export type { OpenedEngine } from "@/engine/engine.ts";
export type { Calibration, CalibrationBin } from "@/eval/calibration.ts";
export type { ClassificationScores, ClassScores } from "@/eval/classification.ts";
export {
  compareEmbeddings,
  type CompareOptions,
  type EmbeddingScores,
} from "@/eval/compare_embeddings.ts";
export type {
  CompareOptions as CompareRunsOptions,
  Comparison,
  RunComparison,
} from "@/eval/compare_runs.ts";
export {
  createSentenceEncoder,
  type EncodeTextsOptions,
  type SentenceEncoder,
} from "@/eval/encode_texts.ts";
export type { EntityScores, TypeScores } from "@/eval/entities.ts";
export {
  type EntityErrors,
  ERROR_KINDS,
  type ErrorCounts,
  type ErrorKind,
} from "@/eval/entity_errors.ts";
export type { TaskScores } from "@/eval/evaluate_rows.ts";
export type { Interval } from "@/statistics.ts";
export type { GraphExecutor } from "@/eval/open_graph.ts";
export { openSavedModel, type SavedModel } from "@/eval/open_saved_model.ts";
export type { OnPredicted, Predictor } from "@/eval/predict_examples.ts";
export { createTextPredictor } from "@/eval/predict_examples.ts";
export {
  SIMILARITIES,
  type Similarity,
  type SimilarityDifference,
  type SimilarityScores,
} from "@/eval/embedding_similarity.ts";
export {
  openTextModel,
  type OpenTextModelOptions,
  type TextModel,
  type TextModelSettings,
} from "@/eval/text_model.ts";
export type {
  PredictedEntity,
  PredictedLabel,
  TextPrediction,
  TextPredictor,
} from "@/eval/text_predictor.ts";
export { type ExportedFile, exportModel, type ExportOptions } from "@/export/export_model.ts";
export type { ScoresBySplit } from "@/export/score_run.ts";
export { writeCard } from "@/export/write_card.ts";
export type { HeadsFile } from "@/model/heads_file.ts";
export { ONNX_DTYPES, type OnnxDtype } from "@/model/onnx_weights.ts";
export type { ModelTask } from "@/model/multi_task.ts";
export { disposeModel, type MultiTask } from "@/model/parameters.ts";
export { Named } from "@/named.ts";
export type { Progress, ProgressView } from "@/progress.ts";
export { Figure } from "@/report/figures/figure.ts";
export type {
  MainMeasure,
  RecordedConfig,
  RecordedTask,
  RunRecord,
} from "@/report/readers/run_record.ts";
export { writeReport } from "@/report/write_report.ts";
export {
  type ConfigOverrides,
  type ConfigParts,
  type PartOf,
  resolveConfig,
  type TaskDefault,
  type TaskInput,
} from "@/config/resolve_config.ts";
export type { Example } from "@/text/example.ts";
export type { PromptChoice, PromptSettings } from "@/text/prompts.ts";
export type { SpecialIds } from "@/text/special_tokens.ts";
export type { EncodedText, EncodedWords, Tokenizer } from "@/text/tokenizer.ts";
export { type BaselineName, BASELINES, type TaskVerdict } from "@/train/baselines.ts";
export type { LearningCurve } from "@/train/learning_curve.ts";
export type { PredictionError } from "@/train/choose_errors.ts";
export type { LayerwiseGroup, ParameterGroup } from "@/train/layerwise.ts";
export type { RowCounts } from "@/train/run_data.ts";
export type { RunEnvironment } from "@/train/run_environment.ts";
export type { EvaluateLine, TrainLine } from "@/train/run_folder.ts";
export type { RunSummary } from "@/train/run_summary.ts";
export { type StepEvent, type TrainOptions, trainRun } from "@/train/train_run.ts";

await inspectFromEnvironment();

/** Rows per batch in {@link encode}: batches are padded to this size, and callers often pass few texts. */
const FEW_ROWS = 16;

/**
 * Makes the engine the backend of TensorFlow.js and chooses what computes. May be called again with other options. In a
 * Jupyter kernel, an interrupt then ends the work and not the kernel.
 *
 * @param options Device, executor, precision, threads; by default generated C on all processors.
 */
export async function openEngine(options: EngineOptions = {}): Promise<OpenedEngine> {
  nextKernelInterrupt();
  return await openEngineAlone(options);
}

/** Opens the engine with default options if it is not open. */
async function ensureEngine(): Promise<void> {
  if (currentEngine() === null) await openEngine();
}

/**
 * Opens a model for repeated calls. Declare it with `using`, which closes it at the end of the block.
 *
 * @example
 * ```ts
 * import { load } from "@/api/library.ts";
 * using model = await load("outputs/minilm-bfloat16/model");
 * const [embedding] = await model.createEncoder().encode(["A sentence."]);
 * embedding?.length; // 384
 * ```
 *
 * @param source Run folder, model folder, or model name on the Hugging Face Hub.
 */
export async function load(
  source: string,
  options: OpenTextModelOptions = {},
): Promise<TextModel> {
  await ensureEngine();
  return await openTextModel(source, options);
}

/**
 * Returns the embedding of each text: an array of N vectors of length E.
 *
 * Each call opens the model again. For repeated calls, use {@link load}.
 *
 * @param source Run folder, model folder, or model name on the Hugging Face Hub.
 * @param texts N texts.
 * @param options Prompt, batch size and progress.
 */
export async function encode(
  source: string,
  texts: readonly string[],
  options: EncodeTextsOptions = {},
): Promise<Float32Array[]> {
  await ensureEngine();
  return await embedTexts(source, texts, { rows: FEW_ROWS, ...options });
}

/**
 * Returns the predicted labels and entities of each text, by task.
 *
 * Each call opens the model again. For repeated calls, use {@link load}.
 *
 * @param source Run folder or model folder; it must have trained heads.
 */
export async function predict(
  source: string,
  texts: readonly string[],
): Promise<TextPrediction[]> {
  await ensureEngine();
  using model = await openTextModel(source);
  return await model.createPredictor().predict(texts);
}

/**
 * Computes the similarity of each of A embeddings to each of B embeddings, as a matrix [A][B]. Larger values mean more
 * similar: the distance measures (`euclidean`, `manhattan`) are negated.
 *
 * @example
 * ```ts
 * import { similarity } from "@/api/library.ts";
 * const east = Float32Array.of(2, 0), north = Float32Array.of(0, 1);
 * similarity([east], [east, north]); // [[1, 0]]
 * similarity([east], [north], "manhattan"); // [[-3]]
 * ```
 *
 * @param measure Default: `cosine`.
 */
export function similarity(
  first: readonly Float32Array[],
  second: readonly Float32Array[],
  measure: Similarity = "cosine",
): number[][] {
  return first.map((a) => second.map((b) => measureSimilarity(measure, a, b)));
}

/** Options of {@link evaluate}. */
export type EvaluateSettings = {
  /** Split to score; default: `test`, which includes unseen rows and the data sets of `alsoTest`. */
  readonly split?: string;
  /** Folder of the data sets; default: the one in the run's configuration. */
  readonly data?: string;
  /** Precision of matrix products; default: `float32`. */
  readonly precision?: Precision;
};

/**
 * Scores the model of a run on its data sets. Returns scores by task and split.
 *
 * It opens the engine with the run's device and executor, even if the engine is already open with other options.
 *
 * @param run Run folder.
 */
export async function evaluate(
  run: string,
  { split = "test", data, precision = "float32" }: EvaluateSettings = {},
): Promise<RunScores> {
  const file = await readJson(join(run, "config.json"), "run to evaluate");
  const config = resolveConfig({ file, shortcuts: { data, precision } });
  await openConfiguredEngine(config);
  using model = await openTextModel(run);
  return new RunScores(await scoreRun(model, { run, config, split, view: SILENT }));
}
