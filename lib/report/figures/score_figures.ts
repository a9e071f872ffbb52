/**
 * Figures of scores: confusion matrix and reliability diagram of a classification task, F1 by entity type and errors by
 * category of a tagging task, main scores of several runs.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { CalibrationBin } from "@/eval/calibration.ts";
import type { ClassificationScores } from "@/eval/classification.ts";
import type { Figure } from "./figure.ts";
import { formatCount, formatPercent } from "../format.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";
import type { EntityScores } from "@/eval/entities.ts";
import { type EntityErrors, ERROR_KINDS } from "@/eval/entity_errors.ts";
import type { ScoreDot } from "./interval_dots.ts";
import { mainMeasure, type RunRecord } from "../readers/run_record.ts";

/** Task and split of a figure, such as `{ task: "ag_news", split: "test" }`. */
type ScoreSubject = { readonly task: string; readonly split: string };

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

const RULES = ["conlleval", "strict IOB2"] as const;

/** F1 of each entity type under both rules, and the micro average. */
export function entityBars(scores: EntityScores, { task, split }: ScoreSubject): Figure {
  const types = [
    { name: "all", f1: scores.f1, strictF1: scores.strictF1 },
    ...Object.entries(scores.perType).map(([name, { f1, strictF1 }]) => ({ name, f1, strictF1 })),
  ];
  const bars = types.flatMap(({ name, f1, strictF1 }) => [
    { name, rule: RULES[0], f1: 100 * f1 },
    { name, rule: RULES[1], f1: 100 * strictF1 },
  ]);
  const [low, high] = scores.interval;
  const interval = [{ name: "all", rule: RULES[0], low: 100 * low, high: 100 * high }];
  return frameFigure({
    title: `Entity F1 by type on ${task} ${split}`,
    subtitle: `${formatCount(scores.rows)} sentences; whisker: 95 % bootstrap interval.`,
    alt: types.map(({ name, f1, strictF1 }) =>
      `${name} ${formatPercent(f1)} % (strict ${formatPercent(strictF1)} %)`
    ).join(", ") + ".",
    legend: RULES.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 46 + 54 * types.length,
      marginLeft: Math.min(
        220,
        24 + Math.max(...types.map(({ name }) =>
          estimateWidth(name)
        )),
      ),
      marginTop: 4,
      marginRight: 56,
      marginBottom: 40,
      x: { label: "Entity F1 (%)", domain: [0, 100], grid: true },
      y: { axis: null, domain: RULES, padding: 0.1 },
      fy: {
        label: null,
        domain: types.map(({ name }) => name),
        axis: "left",
        padding: 0.18,
      },
      color: { type: "categorical", domain: RULES, range: [colorOf(0), colorOf(1)] },
      marks: [
        Plot.barX(bars, { x: "f1", y: "rule", fy: "name", fill: "rule" }),
        Plot.ruleY(interval, { x1: "low", x2: "high", y: "rule", fy: "name", strokeWidth: 1.5 }),
        ...["low", "high"].map((x) =>
          Plot.tickX(interval, { x, y: "rule", fy: "name", inset: 5, strokeWidth: 1.5 })
        ),
        Plot.text(bars, {
          frameAnchor: "right",
          y: "rule",
          fy: "name",
          text: ({ f1 }: typeof bars[number]) => f1.toFixed(1),
          textAnchor: "end",
          dx: 46,
        }),
      ],
    },
  });
}

/** Errors of each entity type by category; an invented entity counts under its predicted type. */
export function errorBars(errors: EntityErrors, { task, split }: ScoreSubject): Figure {
  const types = Object.entries(errors.perType).map(([name, counts]) => ({
    name,
    counts,
    total: ERROR_KINDS.reduce((sum, kind) => sum + counts[kind], 0),
  }));
  const bars = types.flatMap(({ name, counts }) =>
    ERROR_KINDS.map((kind) => ({ name, kind, count: counts[kind] }))
  );
  const total = types.reduce((sum, type) => sum + type.total, 0);
  const most = Math.max(1, ...types.map((type) => type.total));
  const names = types.map(({ name }) => name);
  return frameFigure({
    title: `Entity errors on ${task} ${split}`,
    subtitle: `${
      formatCount(total)
    } errors by gold entity type; invented entities by predicted type.`,
    alt: `${ERROR_KINDS.map((kind) => `${kind} ${formatCount(errors[kind])}`).join(", ")}.`,
    legend: ERROR_KINDS.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 50 + 34 * Math.max(1, names.length),
      marginLeft: Math.min(220, 24 + Math.max(0, ...names.map(estimateWidth))),
      marginTop: 4,
      marginRight: 56,
      marginBottom: 40,
      x: {
        label: "Errors",
        grid: true,
        domain: [0, most],
        nice: true,
        ticks: Math.min(8, most),
      },
      y: { label: null, domain: names, padding: 0.25, tickSize: 0 },
      color: {
        type: "categorical",
        domain: ERROR_KINDS,
        range: ERROR_KINDS.map((_, index) => colorOf(index)),
      },
      marks: [
        Plot.barX(
          bars,
          Plot.stackX({ x: "count", y: "name", fill: "kind", order: [...ERROR_KINDS] }),
        ),
        Plot.text(types, {
          x: "total",
          y: "name",
          text: (type: typeof types[number]) => formatCount(type.total),
          textAnchor: "start",
          dx: 6,
        }),
        Plot.ruleX([0]),
      ],
    },
  });
}

/** A run with the name of its dots. */
type ScoredRun = { readonly name: string; readonly record: Pick<RunRecord, "summary"> };

/** Accuracy or entity F1 of every task on one split, with its interval; each task is a group. */
export function scoreDots(runs: readonly ScoredRun[], split: string): ScoreDot[] {
  return runs.flatMap(({ name, record }) =>
    Object.entries(record.summary.scores).flatMap(([task, splits]) => {
      const scores = splits[split];
      if (scores === undefined) return [];
      const { value } = mainMeasure(scores);
      return [{ name, group: task, value, interval: scores.interval }];
    })
  );
}
