/**
 * How sure a run's classifier is, for notebooks.
 * @module
 */

import { openTextModel } from "@/eval/text_model.ts";
import { isClassification, type RunRecord } from "@/report/run_record.ts";

/** A classifier's sureness on some texts. */
export type Sureness = {
  /** Mean distance of the two highest logits, in nats. */
  readonly "margin (nats)": number;
  /** Mean probability of the most probable class. */
  readonly confidence: number;
};

/** Measures the first classification task of the run in `dir`. */
export async function measureMargins(dir: string, texts: readonly string[]): Promise<Sureness> {
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
    // a constant added to all logits leaves both softmax and the distance as they are
    "margin (nats)": mean(sorted.map(([first = NaN, second = NaN]) => Math.log(first / second))),
    confidence: mean(sorted.map(([first = NaN]) => first)),
  };
}

/** Calibration of a run's first classification task on test, temperature fitted on validation. */
export function pickCalibration({ summary }: Pick<RunRecord, "summary">) {
  const test = Object.values(summary.scores).map((splits) => splits["test"])
    .find((scores) => scores !== undefined && isClassification(scores));
  if (test === undefined || !isClassification(test)) {
    throw new RangeError(
      `Cannot tell calibration as a classification task must have been scored on test: current tasks are ${
        Object.keys(summary.scores).join(", ")
      }`,
    );
  }
  const { ece = NaN, temperature = NaN, scaledEce = NaN } = test;
  return {
    "calibration error (%)": 100 * ece,
    temperature,
    "error at it (%)": 100 * scaledEce,
  };
}
