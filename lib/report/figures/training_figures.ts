/**
 * Training figures: losses, learning-rate schedule, gradient norm, learning rates by layer.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { ParameterGroup } from "@/train/layerwise.ts";
import type { EvaluateLine } from "@/train/run_folder.ts";
import type { Figure } from "./figure.ts";
import { formatCount, formatRate } from "../format.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";
import { hoverLayer } from "./hover_layer.ts";
import { mainMeasure, type MetricRow } from "../readers/run_record.ts";

/** Data of one bar of {@link rateBars}. */
type RateGroup = Pick<ParameterGroup, "name" | "learningRate" | "parameters">;

type Point = { readonly step: number; readonly value: number; readonly series: string };

/** Minimum number of points for a smoothed line. */
const SMOOTH_FROM = 20;

/** Loss of each task by step. */
export function lossCurve(rows: readonly MetricRow[]): Figure {
  const points = pickPoints(rows, "loss");
  const names = [...new Set(points.map(({ series }) => series))];
  const last = names.map((name) => {
    const end = smoothPoints(points.filter(({ series }) => series === name)).at(-1);
    return `${name} ends at ${end?.value.toFixed(3) ?? "nothing"}`;
  });
  return frameFigure({
    title: "Training loss",
    ...describeSmoothing(points, names.length),
    alt: `Cross entropy in nats by training step: ${last.join(", ")}.`,
    legend: names.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 310,
      marginLeft: 48,
      marginBottom: 40,
      x: { label: "Step", nice: true },
      y: { label: "Cross entropy (nats)", grid: true, zero: true, nice: true },
      marks: [
        Plot.ruleY([0]),
        ...names.flatMap((name, index) =>
          drawLine(points.filter(({ series }) => series === name), colorOf(index))
        ),
        hoverSteps(points, names, (value) => value.toFixed(3)),
      ],
    },
  });
}

/** Main score of each task on validation by step; null if there was at most one evaluation. */
export function validationCurve(evaluations: readonly EvaluateLine[]): Figure | null {
  const points = evaluations.filter(({ split }) => split === "validation")
    .flatMap(({ step, scores }) =>
      Object.entries(scores).map(([task, found]) => {
        const { measure, value } = mainMeasure(found);
        return { step, value: 100 * value, series: `${task}: ${measure}` };
      })
    );
  if (new Set(points.map(({ step }) => step)).size < 2) return null;
  const names = [...new Set(points.map(({ series }) => series))];
  const ends = names.map((name) => {
    const own = points.filter(({ series }) => series === name);
    return `${name} from ${own[0]?.value.toFixed(2)} % to ${own.at(-1)?.value.toFixed(2)} %`;
  });
  return frameFigure({
    title: "Validation scores",
    alt: `Main score of each task on validation by training step: ${ends.join("; ")}.`,
    legend: names.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 270,
      marginLeft: 48,
      marginBottom: 40,
      x: { label: "Step", domain: [0, Math.max(...points.map(({ step }) => step))], nice: true },
      y: { label: "Score (%)", grid: true, nice: true },
      marks: [
        Plot.line(points, { x: "step", y: "value", z: "series", stroke: colorOfSeries(names) }),
        Plot.dot(points, { x: "step", y: "value", fill: colorOfSeries(names), r: 3 }),
        hoverSteps(points, names, (value) => `${value.toFixed(2)} %`),
      ],
    },
  });
}

const colorOfSeries = (names: readonly string[]) => ({ series }: Point) =>
  colorOf(names.indexOf(series));

/** Learning rate by step, in percent of the peak. */
export function scheduleCurve(rows: readonly MetricRow[]): Figure {
  const points = pickPoints(rows, "rate").map((point) => ({ ...point, value: 100 * point.value }));
  const peak = points.reduce((best, point) => point.value > best.value ? point : best, {
    step: 0,
    value: 0,
    series: "",
  });
  return frameFigure({
    title: "Learning-rate schedule",
    subtitle: "The learning rate of each group is its peak times this factor.",
    alt: points.length === 1
      ? `Learning rates are ${
        peak.value.toFixed(1)
      } % of their peak at step ${peak.step}, the only one logged.`
      : `Learning rates rise to ${
        peak.value.toFixed(1)
      } % of their peak at step ${peak.step} and ` +
        `end at ${(points.at(-1)?.value ?? 0).toFixed(1)} %.`,
    plot: {
      height: 230,
      marginLeft: 48,
      marginBottom: 40,
      x: { label: "Step", nice: true },
      y: { label: "Learning rate (% of peak)", grid: true, domain: [0, 100] },
      marks: [
        Plot.ruleY([0]),
        points.length === 1
          ? Plot.dot(points, { x: "step", y: "value", fill: colorOf(0), r: 4 })
          : Plot.line(points, { x: "step", y: "value", stroke: colorOf(0), strokeWidth: 2 }),
        hoverSteps(points, [""], (value) => `${value.toFixed(1)} %`),
      ],
    },
  });
}

/** Global gradient norm by step, before clipping; `clipNorm` is drawn if given. */
export function gradientNormCurve(
  rows: readonly MetricRow[],
  { clipNorm = null }: { readonly clipNorm?: number | null } = {},
): Figure {
  const points = pickPoints(rows, "gradientNorm");
  const largest = Math.max(0, ...points.map(({ value }) => value));
  return frameFigure({
    title: "Gradient norm",
    ...describeSmoothing(points, 1),
    alt: `Global norm of the gradients before clipping by training step; the largest logged is ${
      largest.toFixed(2)
    }${clipNorm === null ? "" : `, clipped to ${clipNorm}`}.`,
    legend: [
      { label: "before clipping", color: colorOf(0) },
      ...(clipNorm === null ? [] : [{ label: `clipped to ${clipNorm}`, color: colorOf(1) }]),
    ],
    plot: {
      height: 250,
      marginLeft: 48,
      marginBottom: 40,
      x: { label: "Step", nice: true },
      y: { label: "Global L2 norm", grid: true, zero: true, nice: true },
      marks: [
        Plot.ruleY([0]),
        ...(clipNorm === null
          ? []
          : [Plot.ruleY([clipNorm], { stroke: colorOf(1), strokeDasharray: "6,4" })]),
        ...drawLine(points, colorOf(0)),
        hoverSteps(points, [""], (value) => value.toFixed(2)),
      ],
    },
  });
}

/** Peak learning rate of each parameter group, in the order of the optimizer. Groups with the same name and rate are merged. */
export function rateBars(parts: readonly RateGroup[]): Figure {
  const groups = mergeGroups(parts);
  const names = groups.map(({ name }) => name);
  const highest = Math.max(...groups.map(({ learningRate }) => learningRate));
  return frameFigure({
    title: "Peak learning rate by parameter group",
    subtitle: "At the end of a bar: learning rate · number of parameters.",
    alt: `Peak learning rates from ${
      formatRate(Math.min(...groups.map(({ learningRate }) => learningRate)))
    } to ${formatRate(highest)} over ${groups.length} parameter groups.`,
    plot: {
      height: 50 + 26 * groups.length,
      marginLeft: Math.min(260, 20 + Math.max(...names.map(estimateWidth))),
      marginTop: 8,
      marginRight: 40,
      marginBottom: 40,
      x: {
        label: "Peak learning rate",
        domain: [0, highest * 1.28],
        tickFormat: formatRate,
        ticks: 5,
      },
      y: { label: null, domain: names, padding: 0.25, tickSize: 0 },
      marks: [
        Plot.barX(groups, { x: "learningRate", y: "name", fill: colorOf(0) }),
        Plot.text(groups, {
          x: "learningRate",
          y: "name",
          text: ({ learningRate, parameters }: RateGroup) =>
            `${formatRate(learningRate)} · ${formatCount(parameters)}`,
          textAnchor: "start",
          dx: 6,
        }),
        Plot.ruleX([0]),
      ],
    },
  });
}

/** Merges groups that differ only in weight decay. */
function mergeGroups(groups: readonly RateGroup[]): RateGroup[] {
  const merged = new Map<string, RateGroup>();
  for (const group of groups) {
    const key = JSON.stringify([group.name, group.learningRate]);
    const parameters = group.parameters + (merged.get(key)?.parameters ?? 0);
    merged.set(key, { ...group, parameters });
  }
  return [...merged.values()];
}

/** Tooltips with the values of all series at each step. */
function hoverSteps(
  points: readonly Point[],
  names: readonly string[],
  format: (value: number) => string,
): Plot.Markish {
  const steps = Map.groupBy(points, ({ step }) => step);
  return hoverLayer(
    [...steps].map(([step, own]) => ({
      x: step,
      lines: [
        { text: `Step ${formatCount(step)}` },
        ...own.map(({ series, value }) => ({
          text: series === "" ? format(value) : `${series} ${format(value)}`,
          color: colorOf(Math.max(0, names.indexOf(series))),
        })),
      ],
    })),
  );
}

function pickPoints(rows: readonly MetricRow[], measure: MetricRow["measure"]): Point[] {
  return rows.filter((row) => row.measure === measure)
    .map(({ step, value, task }) => ({ step, value, series: task ?? "" }));
}

/** Half-width of the running mean, about one fortieth of the points; 0 for short series. */
function halfWindow(count: number): number {
  return count < SMOOTH_FROM ? 0 : Math.max(1, Math.round(count / 40));
}

function describeSmoothing(points: readonly Point[], series: number): { subtitle?: string } {
  const half = halfWindow(points.length / Math.max(1, series));
  if (half === 0) return {};
  return { subtitle: `Thin: as logged. Thick: running mean of ${2 * half + 1} logged values.` };
}

/** Running mean of one series; the window is shorter at the ends. */
function smoothPoints(points: readonly Point[]): Point[] {
  const half = halfWindow(points.length);
  return points.map((point, index) => {
    const near = points.slice(Math.max(0, index - half), index + half + 1);
    return { ...point, value: near.reduce((sum, { value }) => sum + value, 0) / near.length };
  });
}

/** One series as logged, and its running mean if there are enough points. */
function drawLine(points: readonly Point[], stroke: string): Plot.Markish[] {
  const line = { x: "step", y: "value", stroke };
  if (points.length === 1) return [Plot.dot(points, { x: "step", y: "value", fill: stroke, r: 4 })];
  if (halfWindow(points.length) === 0) return [Plot.line(points, { ...line, strokeWidth: 2 })];
  return [
    Plot.line(points, { ...line, strokeWidth: 1, strokeOpacity: 0.35 }),
    Plot.line(smoothPoints(points), { ...line, strokeWidth: 2.5 }),
  ];
}
