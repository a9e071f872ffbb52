/**
 * What other projects import: train a run, encode and predict with a model, write its report, graphs and
 * card. Everything else may change from release to release.
 *
 * Numbers are computed by the engine, which must be opened once, before a model: {@link openEngine}. It
 * runs on Deno, whose FFI it needs; in Node.js and browsers use the graphs that `exportModel` writes.
 *
 * @example
 * ```ts
 * import { encode, openEngine, resolveConfig, trainRun } from "@/export/library.ts";
 * // await openEngine();
 * // const config = resolveConfig({ preset: "quickstart" });
 * // await trainRun(config, { out: "run", nowMs: () => performance.now(), environment: {} });
 * // const [first] = await encode("run", ["A sentence."]);
 * ```
 * @module
 */
import { embedTexts } from "@/eval/compare_embeddings.ts";
import type { EncodeTextsOptions } from "@/eval/encode_texts.ts";
import type { TextPrediction } from "@/eval/read_texts.ts";
import { openTextModel } from "@/eval/text_model.ts";

export type { RunConfig } from "@/config.ts";
export { openEngine } from "@/engine/engine.ts";
export { createSentenceEncoder } from "@/eval/encode_texts.ts";
export { openSavedModel, type SavedModel } from "@/eval/open_saved_model.ts";
export { openTextModel, type TextModel } from "@/eval/text_model.ts";
export { createTextPredictor } from "@/eval/predict_texts.ts";
export type { TextPrediction } from "@/eval/read_texts.ts";
export { exportModel } from "@/export/export_model.ts";
export { writeCard } from "@/export/write_card.ts";
export { disposeModel } from "@/model/parameters.ts";
export { writeReport } from "@/report/write_report.ts";
export { resolveConfig } from "@/resolve_config.ts";
export { type TrainOptions, trainRun } from "@/train/train_run.ts";

/** Texts that run together: a batch always has as many, and callers often have few. */
const FEW_ROWS = 16;

/**
 * [E] an embedding of each text by the model of a run, a folder or a name on the Hub. It opens the model
 * at each call; `createSentenceEncoder` keeps it open.
 */
export async function encode(
  source: string,
  texts: readonly string[],
  options: EncodeTextsOptions = {},
): Promise<Float32Array[]> {
  return await embedTexts(source, texts, { rows: FEW_ROWS, ...options });
}

/** Labels and entities of each text, by task; `createTextPredictor` keeps the model open. */
export async function predict(
  source: string,
  texts: readonly string[],
): Promise<TextPrediction[]> {
  using model = await openTextModel(source);
  return await model.createPredictor().predict(texts);
}
