/**
 * All figures of a run, by file name without extension.
 * @module
 */

import type { TaskScores } from "@/eval/evaluate_rows.ts";
import { rows } from "./readers/read_run.ts";
import type { Figure } from "./figures/figure.ts";
import { planOfRun } from "./figures/learning_rate_plan.ts";
import { isClassification, type RunRecord } from "./readers/run_record.ts";
import { entityBars, errorBars } from "./figures/entity_figures.ts";
import { confusionMatrix, reliabilityDiagram } from "./figures/score_figures.ts";
import {
  gradientNormCurve,
  lossCurve,
  rateBars,
  scheduleCurve,
  validationCurve,
} from "./figures/training_figures.ts";

/** Loss by step, and validation scores by step if the run was evaluated during training. */
export function trainingFigures(record: RunRecord): Map<string, Figure> {
  const figures = new Map<string, Figure>();
  if (record.train.length > 0) figures.set("losses", lossCurve(rows(record)));
  const validation = validationCurve(record.evaluations);
  if (validation !== null) figures.set("validation", validation);
  return figures;
}

/** Figures of learning rates and gradients, as far as the run recorded them. */
export function optimizerFigures(record: RunRecord): Map<string, Figure> {
  const figures = new Map<string, Figure>();
  const tidy = rows(record);
  if (record.train.length > 0) {
    figures.set("schedule", scheduleCurve(tidy));
    figures.set("gradient-norm", gradientNormCurve(tidy, { clipNorm: record.config.clipNorm }));
  }
  if (record.summary.groups.length > 0) figures.set("rates", rateBars(record.summary.groups));
  const plan = planOfRun(record);
  if (plan !== null) figures.set("learning-rate-plan", plan);
  return figures;
}

/** Figures of one task's scores. */
export function taskFigures(task: string, scores: TaskScores, split: string): Map<string, Figure> {
  if (!isClassification(scores)) {
    const figures = new Map([[`entities-${task}`, entityBars(scores, { task, split })]]);
    if (scores.errors !== undefined) {
      figures.set(`errors-${task}`, errorBars(scores.errors, { task, split }));
    }
    return figures;
  }
  const figures = new Map([[`confusion-${task}`, confusionMatrix(scores, { task, split })]]);
  const { bins, ece } = scores;
  if (bins !== undefined && ece !== undefined) {
    figures.set(`reliability-${task}`, reliabilityDiagram(bins, { task, split, ece }));
  }
  return figures;
}
