/**
 * Interactive figures: training curves of several runs, and a map of all predictions of a classification task.
 * @module
 */

import { COLORS } from "./frame.ts";
import { type HoverFigure, hoverFigure } from "./hover_figure.ts";
import type { RunRecord } from "../readers/run_record.ts";
import type { ClassifiedText } from "@/eval/prediction_errors.ts";
import { formatCount } from "../format.ts";

/** A run with its name in the figure. */
export type NamedRecord = { readonly name: string; readonly record: Pick<RunRecord, "train"> };

/** Maximum number of points per run. */
const MOST_POINTS = 60;

type LossPoint = { readonly run: string; readonly step: number; readonly loss: number };

/** Averages consecutive points so that at most {@link MOST_POINTS} remain, each at the last step it covers. */
function thinLosses(points: readonly LossPoint[]): readonly LossPoint[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  const ends = points.filter((_, i) => (i + 1) % size === 0 || i === points.length - 1);
  return ends.map((end) => {
    const last = points.indexOf(end);
    const stretch = points.slice(last - last % size, last + 1);
    const mean = stretch.reduce((sum, { loss }) => sum + loss, 0) / stretch.length;
    return { ...end, loss: Number(mean.toFixed(5)) };
  });
}

/** Loss of one task by step for several runs; hovering shows step and loss. */
export async function lossComparison(
  runs: readonly NamedRecord[],
  task: string,
): Promise<HoverFigure> {
  const values = runs.flatMap(({ name, record }) =>
    thinLosses(record.train.flatMap(({ step, losses }) => {
      const loss = losses[task];
      return loss === undefined ? [] : [{ run: name, step, loss }];
    }))
  );
  const names = runs.map(({ name }) => name);
  const ends = names.map((name) => {
    const last = values.findLast(({ run }) => run === name);
    return `${name} ends at ${last === undefined ? "nothing" : last.loss.toFixed(3)}`;
  });
  return await hoverFigure({
    width: 560,
    height: 280,
    data: { values },
    mark: { type: "line", point: true, strokeWidth: 2, opacity: 0.85 },
    encoding: {
      x: { field: "step", type: "quantitative", title: "Step" },
      y: { field: "loss", type: "quantitative", title: "Cross entropy (nats)" },
      color: {
        field: "run",
        type: "nominal",
        scale: { domain: names, range: [...COLORS] },
      },
      tooltip: [{ field: "run" }, { field: "step" }, { field: "loss" }],
    },
  }, {
    title: `Training loss on ${task}`,
    alt: `Mean cross entropy since the previous point, in nats, by step: ${ends.join(", ")}.`,
  });
}

/** Maximum number of rows drawn. Beyond it, only every n-th correct one is drawn, to keep notebooks small. */
const MOST_ROWS = 1500;

/**
 * Draws one dot per row, by gold class and by the probability of the predicted class; wrong ones are larger.
 * Hovering shows the text.
 */
export async function predictionMap(
  texts: readonly ClassifiedText[],
  task: string,
): Promise<HoverFigure> {
  const wrong = texts.filter(({ gold, predicted }) => gold !== predicted);
  const right = texts.filter(({ gold, predicted }) => gold === predicted);
  const every = Math.max(1, Math.ceil(right.length / Math.max(1, MOST_ROWS - wrong.length)));
  const shown = [...right.filter((_, i) => i % every === 0), ...wrong];
  const values = shown.map(({ gold, predicted, probability, text }, i) => ({
    gold,
    predicted,
    prediction: gold === predicted ? "correct" : "wrong",
    probability: 100 * probability,
    lane: i * 0.6180339887 % 1, // spread evenly and deterministically (golden ratio)
    text: text.length > 160 ? `${text.slice(0, 159)}…` : text,
  }));
  const sample = every === 1 ? "" : ` (every ${every}th correct one shown)`;
  return await hoverFigure({
    width: 560,
    height: { step: 64 },
    data: { values },
    mark: { type: "circle", opacity: 0.75 },
    encoding: {
      x: {
        field: "probability",
        type: "quantitative",
        title: "Probability of the predicted class (%)",
        scale: { zero: false },
      },
      y: { field: "gold", type: "nominal", title: "Gold class" },
      yOffset: { field: "lane", type: "quantitative" },
      color: {
        field: "prediction",
        type: "nominal",
        scale: { domain: ["correct", "wrong"], range: COLORS.slice(0, 2) },
      },
      size: { condition: { test: "datum.prediction === 'wrong'", value: 90 }, value: 18 },
      tooltip: [
        { field: "gold" },
        { field: "predicted" },
        { field: "probability", type: "quantitative", format: ".1f" },
        { field: "text" },
      ],
    },
  }, {
    title: `Predictions on ${task}${sample}`,
    alt: `${formatCount(wrong.length)} of ${
      formatCount(texts.length)
    } predictions are wrong. One dot per row, by gold class and probability of the predicted class.`,
  });
}
