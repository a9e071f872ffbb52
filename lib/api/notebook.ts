/**
 * Functions for notebook cells, in addition to the library's entry point: tables, figures and comparisons, and
 * runs and experiments with accessors by name. Notebooks import from these two modules only.
 * @module
 */

import assert from "node:assert/strict";

export { measurePadding } from "@/development/bench/measure_padding.ts";
export { measurePrecisions } from "@/development/bench/measure_precisions.ts";
export { MIXINGS, NORMALIZE_MODES, POOLING_MODES } from "@/config/config.ts";
export { PRECISIONS } from "@/engine/options.ts";
export { describeSplits, frameOfRows } from "@/data/frames.ts";
export { roundToFormat } from "@/report/figures/precision_figures.ts";
export { embedTexts } from "@/eval/compare_embeddings.ts";
export { compareRankings } from "@/eval/compare_embeddings.ts";
export {
  describeEmbeddings,
  pairCosines,
  projectToPlane,
  separation,
} from "@/eval/embedding_geometry.ts";
export { listEntities } from "@/eval/spans.ts";
export { readPredictions } from "@/eval/prediction_record.ts";
export {
  listClassifiedTexts,
  listMistagged,
  pickMisclassified,
  pickRecord,
} from "@/eval/prediction_errors.ts";
export { FUNCTIONS, inspectBuiltIn } from "@/inspect/functions.ts";
export {
  compareBackends,
  inspectJit,
  memoryPlan,
  passRows,
  showStage,
  trafficRows,
} from "@/notebook/inspect_cells.ts";
export { batchingOf, loadRows, prepareRows } from "@/notebook/load_rows.ts";
export { measureMargins, pickCalibration } from "@/notebook/measurements.ts";
export { pickRow } from "@/notebook/named_list.ts";
export { notebookConfig, usesSample } from "@/notebook/notebook_config.ts";
export {
  compareRows,
  experimentCurves,
  experimentDifferences,
  readExperiment,
  tellExperiment,
} from "@/notebook/read_experiment.ts";
export { readPairs, readTexts } from "@/notebook/load_rows.ts";
export { differenceRows, embedPairs, embedRuns, scorePairs } from "@/notebook/score_pairs.ts";
export { showAlignment } from "@/notebook/show_rows.ts";
export { stack } from "@/notebook/displayable.ts";
export { showBatch, showPrediction, showRows } from "@/notebook/show_rows.ts";
export { showTable } from "@/notebook/displayable.ts";
export { showMistagged } from "@/notebook/show_rows.ts";
export { trainRuns } from "@/notebook/train_runs.ts";
export { trainVariants } from "@/notebook/train_runs.ts";
export { lastLossScale, tryPrecision } from "@/notebook/measurements.ts";
export { predictionMap } from "@/report/figures/interactive_figures.ts";
export { countBars, lengthHistograms, paddingBars } from "@/report/figures/data_figures.ts";
export { formatPoints } from "@/report/format.ts";
export { intervalDots } from "@/report/figures/interval_dots.ts";
export { mixingFigure, shareByTenth } from "@/report/figures/mixing_figure.ts";
export { normHistograms } from "@/report/figures/embedding_figures.ts";
export { decayFigure, lossScaleFigure, spacingFigure } from "@/report/figures/precision_figures.ts";
export { readSimilarity } from "@/report/readers/task_outputs.ts";
export {
  dataStatisticsRows,
  lengthGroups,
  paddingRows,
  readDataStatistics,
} from "@/report/readers/task_outputs.ts";
export { scoreDots } from "@/report/figures/score_figures.ts";
export { cosineHistograms, embeddingMaps } from "@/report/figures/embedding_figures.ts";
export { lossComparison } from "@/report/figures/interactive_figures.ts";
export { comparePadding } from "@/text/compare_padding.ts";
export { layerwiseGroups } from "@/train/layerwise.ts";
export { planMixing } from "@/train/mixing.ts";

/** Fails unless `value` is at most `tolerance` away from `expected`. */
export function assertNear(value: number, expected: number, tolerance: number): void {
  assert(
    Math.abs(value - expected) <= tolerance,
    `Expected ${expected} ± ${tolerance}, got ${value}`,
  );
}
