/**
 * Confidence of a run's classifier, for notebooks.
 * @module
 */

import type { RunScores } from "@/export/run_scores.ts";
import { openTextModel } from "@/eval/text_model.ts";

/** Confidence of a classifier on some texts. */
type Confidence = {
  /** Mean difference of the two highest logits, in nats. */
  readonly "margin (nats)": number;
  /** Mean probability of the most probable class. */
  readonly confidence: number;
};

/** Measures the confidence of the first classification task of the run in `dir`. */
export async function measureMargins(dir: string, texts: readonly string[]): Promise<Confidence> {
  using model = await openTextModel(dir);
  const predictions = await model.createPredictor({ rows: 32 }).predict(texts);
  const sorted = predictions.flatMap(({ labels }) =>
    Object.values(labels).slice(0, 1).map(({ probabilities }) =>
      Object.values(probabilities).sort((a, b) => b - a)
    )
  );
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    // log p1 - log p2 equals the difference of the logits
    "margin (nats)": mean(sorted.map(([first = NaN, second = NaN]) => Math.log(first / second))),
    confidence: mean(sorted.map(([first = NaN]) => first)),
  };
}

/** Calibration of a classification task on test, before and after scaling by the temperature of validation. */
export function pickCalibration({ scores }: { readonly scores: RunScores }, task: string) {
  const { ece, temperature, scaledEce } = scores.classification(task);
  if (ece === undefined || temperature === undefined || scaledEce === undefined) {
    throw new RangeError(`${task} has no calibration: no temperature was fitted on validation`);
  }
  return {
    "calibration error (%)": 100 * ece,
    temperature,
    "error at this temperature (%)": 100 * scaledEce,
  };
}
