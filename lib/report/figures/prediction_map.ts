/**
 * Interactive map of all predictions of a classification task.
 * @module
 */

import type { ClassifiedText } from "@/eval/prediction_errors.ts";
import { formatCount } from "../format.ts";
import { COLORS } from "./frame.ts";
import { type HoverFigure, hoverFigure } from "./hover_figure.ts";

/** Maximum number of rows drawn. Beyond it, only every n-th correct one is drawn, to keep notebooks small. */
const MOST = 1500;

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
  const every = Math.max(1, Math.ceil(right.length / Math.max(1, MOST - wrong.length)));
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
