/**
 * Learning curves: score on validation by number of training rows.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { LearningCurve } from "@/train/learning_curve.ts";
import type { Figure } from "./figure.ts";
import { colorOf, frameFigure } from "./frame.ts";

/** Draws one line per task with the intervals as whiskers; the number of rows has a logarithmic scale. */
export function learningCurveFigure(curves: readonly LearningCurve[]): Figure {
  const names = curves.map(({ task, measure }) =>
    `${task}: ${measure === "f1" ? "entity F1" : "accuracy"}`
  );
  const points = curves.flatMap(({ points }, index) =>
    points.map(({ rows, score, interval: [low, high] }) => ({
      name: names[index] ?? "",
      rows,
      score: 100 * score,
      low: 100 * low,
      high: 100 * high,
    }))
  );
  const sizes = [...new Set(points.map(({ rows }) => rows))];
  const lowest = Math.min(...points.map(({ low }) => low));
  const highest = Math.max(...points.map(({ high }) => high));
  const room = Math.max(1, 0.06 * (highest - lowest)); // a percentage point, if all scores are equal
  return frameFigure({
    title: "Score by number of training rows",
    subtitle:
      "Validation; the same number of steps for each point. Whiskers: 95 % bootstrap intervals over rows.",
    alt: curves.map(({ points }, index) =>
      `${names[index]}: ${
        points.map(({ rows, score }) => `${(100 * score).toFixed(1)} % with ${rows} rows`).join(
          ", ",
        )
      }`
    ).join("; ") + ".",
    legend: names.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 280,
      marginLeft: 48,
      marginBottom: 40,
      x: {
        label: "Training rows",
        type: "log",
        ticks: sizes,
        tickFormat: (rows: number) =>
          rows.toLocaleString("en-US"),
      },
      y: { label: "Score (%)", grid: true, domain: [lowest - room, Math.min(100, highest + room)] },
      color: {
        type: "categorical",
        domain: names,
        range: names.map((_, index) => colorOf(index)),
      },
      marks: [
        Plot.ruleX(points, {
          x: "rows",
          y1: "low",
          y2: "high",
          stroke: "name",
          strokeWidth: 2,
          strokeOpacity: 0.6,
        }),
        Plot.line(points, { x: "rows", y: "score", z: "name", stroke: "name", strokeWidth: 2 }),
        Plot.dot(points, { x: "rows", y: "score", fill: "name", r: 4 }),
      ],
    },
  });
}
