/**
 * Figures of a classification task: confusion matrix, reliability diagram.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { CalibrationBin } from "@/eval/calibration.ts";
import type { ClassificationScores } from "@/eval/classification.ts";
import type { Figure } from "./figure.ts";
import { formatCount, formatPercent } from "../format.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";

/** Task and split of a figure, such as `{ task: "ag_news", split: "test" }`. */
export type ScoreSubject = { readonly task: string; readonly split: string };

/** With more classes than this, cells are small and show no counts. */
const MANY_CLASSES = 8;

/** Confusion matrix: percentage and count of each gold class's rows by predicted class. */
export function confusionMatrix(
  scores: ClassificationScores,
  { task, split }: ScoreSubject,
): Figure {
  const labels = Object.keys(scores.perClass);
  const cells = scores.confusion.flatMap((counts, gold) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count, predicted) => ({
      gold: labels[gold] ?? "",
      predicted: labels[predicted] ?? "",
      share: total === 0 ? 0 : count / total,
      count,
    }));
  });
  type Cell = typeof cells[number];
  const worst = cells.filter(({ gold, predicted }) => gold !== predicted)
    .reduce<Cell | null>((most, cell) => most && most.count >= cell.count ? most : cell, null);
  const roomy = labels.length <= MANY_CLASSES;
  const longest = Math.max(...labels.map(estimateWidth));
  const marginLeft = Math.min(260, 44 + longest),
    marginTop = roomy ? 44 : Math.min(200, 40 + longest);
  const inkOn = ({ share }: Cell) => share > 0.65 ? "#ffffff" : "#1f2328";
  return frameFigure({
    title: `Confusion on ${task} ${split}`,
    subtitle: `Share of each gold class's rows (%)${roomy ? ", count below" : ""}; ${
      formatCount(scores.rows)
    } rows.`,
    alt: `Accuracy ${formatPercent(scores.accuracy)} %. ${
      worst && worst.count > 0
        ? `The most frequent confusion is ${worst.gold} predicted as ${worst.predicted}, ${
          formatCount(worst.count)
        } times.`
        : "There are no confusions."
    }`,
    plot: {
      height: marginTop + 10 + (roomy ? 58 : 28) * labels.length,
      marginLeft,
      marginRight: 10,
      marginTop,
      marginBottom: 10,
      padding: 0.04,
      x: {
        label: "Predicted class",
        domain: labels,
        axis: "top",
        tickSize: 0,
        tickRotate: roomy ? 0 : -90,
        labelAnchor: "center",
      },
      y: { label: "Gold class", domain: labels, tickSize: 0, labelAnchor: "center" },
      color: { type: "linear", domain: [0, 1], range: ["#eef4fa", "#08519c"], interpolate: "rgb" },
      marks: [
        Plot.cell(cells, { x: "predicted", y: "gold", fill: "share", rx: 3 }),
        Plot.text(cells, {
          x: "predicted",
          y: "gold",
          text: ({ share }: Cell) => (100 * share).toFixed(roomy ? 1 : 0),
          fill: inkOn,
          fontSize: roomy ? 15 : 10,
          fontWeight: "bold",
          dy: roomy ? -8 : 0,
        }),
        ...(roomy
          ? [Plot.text(cells, {
            x: "predicted",
            y: "gold",
            text: ({ count }: Cell) => formatCount(count),
            fill: inkOn,
            dy: 11,
          })]
          : []),
      ],
    },
  });
}

/** Accuracy by confidence; bins on the diagonal are perfectly calibrated. */
export function reliabilityDiagram(
  bins: readonly CalibrationBin[],
  { task, split, ece }: ScoreSubject & { readonly ece: number },
): Figure {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  const points = bins.map((bin) => ({
    confidence: 100 * bin.confidence,
    accuracy: 100 * bin.accuracy,
    rows: bin.rows,
  }));
  return frameFigure({
    title: `Reliability on ${task} ${split}`,
    subtitle: `Dot size: rows per bin (of ${formatCount(rows)}). Dashed: perfect calibration.`,
    alt: `Accuracy against confidence in ${bins.length} bins; expected calibration error ${
      formatPercent(ece)
    } %.`,
    width: 460,
    plot: {
      height: 400,
      marginLeft: 48,
      marginBottom: 40,
      x: { label: "Confidence (%)", domain: [0, 100], grid: true },
      y: { label: "Accuracy (%)", domain: [0, 100], grid: true },
      r: { range: [3, 11] }, // bins with few rows remain visible
      marks: [
        Plot.line([[0, 0], [100, 100]], { strokeDasharray: "6,4", strokeOpacity: 0.6 }),
        Plot.ruleX(points, {
          x: "confidence",
          y1: "confidence",
          y2: "accuracy",
          stroke: colorOf(0),
          strokeOpacity: 0.5,
        }),
        Plot.dot(points, {
          x: "confidence",
          y: "accuracy",
          r: "rows",
          fill: colorOf(0),
          fillOpacity: 0.7,
        }),
      ],
    },
  });
}
