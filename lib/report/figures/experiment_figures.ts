/**
 * Figures of an experiment. Scores of its variants: one dot per run and a tick at the mean. Learning curves: one panel per
 * variant, with the mean and range over seeds and the baseline's mean behind.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { Figure } from "./figure.ts";
import { formatCount } from "../format.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";
import { hoverLayer } from "./hover_layer.ts";

/** Value of one run at one step. */
type CurvePoint = {
  readonly variant: string;
  readonly seed: number;
  readonly step: number;
  readonly value: number;
};

/** Texts and scale of the figure. */
type CurveOptions = {
  readonly title: string;
  /** Label of the y axis, with its unit. */
  readonly y: string;
  readonly scale: "linear" | "log";
  /** Name of the baseline, which is drawn behind the other variants. */
  readonly reference: string;
};

/** Statistics over the seeds of one variant at one step. */
type CurveSpan = {
  readonly variant: string;
  readonly step: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly seeds: number;
};

/** Mean and range over seeds by variant and step. Steps that some seed of a variant lacks are left out. */
export function spanSeeds(points: readonly CurvePoint[]): CurveSpan[] {
  return [...Map.groupBy(points, ({ variant }) => variant)].flatMap(([variant, own]) => {
    const seeds = new Set(own.map(({ seed }) => seed)).size;
    return [...Map.groupBy(own, ({ step }) => step)].sort(([a], [b]) => a - b)
      .flatMap(([step, at]) => {
        if (at.length < seeds) return [];
        const values = at.map(({ value }) => value);
        const mean = values.reduce((sum, value) => sum + value, 0) / seeds;
        const low = Math.min(...values), high = Math.max(...values);
        return [{ variant, step, mean, low, high, seeds }];
      });
  });
}

/** Total width of all panels, and space between two. */
const WIDTH = 640, GAP = 12;

/** Draws one panel per variant, in order of first appearance. */
export function learningCurves(points: readonly CurvePoint[], options: CurveOptions): Figure {
  const { title, y, scale, reference } = options;
  const spans = spanSeeds(points);
  const names = [...new Set(points.map(({ variant }) => variant))];
  const columns = chooseColumns(names);
  const rows = Math.ceil(names.length / columns);
  const place = (variant: string) => {
    const index = names.indexOf(variant);
    return { column: index % columns, row: Math.floor(index / columns) };
  };
  const drawn = spans.map((span) => ({ ...span, ...place(span.variant) }));
  const several = drawn.filter(({ seeds }) => seeds > 1);
  const base = spans.filter(({ variant }) => variant === reference);
  const behind = names.filter((name) => name !== reference)
    .flatMap((name) => base.map((span) => ({ ...span, ...place(name) })));
  const facets = { fx: "column", fy: "row", x: "step" };
  return frameFigure({
    title,
    subtitle: describeLines(spans, { behind: behind.length > 0 ? reference : null }),
    alt: names.map((name) => {
      const end = spans.findLast(({ variant }) => variant === name);
      return end === undefined
        ? `${name} has no step that all of its seeds have`
        : `${name} ends at ${end.mean.toPrecision(3)} (${end.seeds} ${
          end.seeds > 1 ? "seeds" : "seed"
        })`;
    }).join("; ") + ".",
    plot: {
      height: 60 + 170 * rows,
      marginTop: 42,
      marginLeft: 52,
      marginBottom: 40,
      marginRight: 12,
      x: {
        label: "Step",
        nice: true,
        ticks: 3,
        domain: [0, Math.max(...spans.map((s) => s.step))],
      },
      y: {
        label: y,
        grid: true,
        ...(scale === "log" ? spreadLog(spans) : { nice: true, ticks: 4 }),
      },
      fx: { axis: null, padding: GAP / (WIDTH / columns) },
      fy: { axis: null, padding: 0.22 },
      marks: [
        Plot.frame({ strokeOpacity: 0.15 }),
        Plot.text(names.map((name) => ({ name, ...place(name) })), {
          fx: "column",
          fy: "row",
          text: "name",
          frameAnchor: "top-left",
          dy: -16,
          fontWeight: "bold",
        }),
        Plot.line(behind, {
          ...facets,
          y: "mean",
          z: "variant",
          stroke: "currentColor",
          strokeOpacity: 0.5,
          strokeDasharray: "5,3",
        }),
        Plot.areaY(several, {
          ...facets,
          y1: "low",
          y2: "high",
          z: "variant",
          fill: colorOf(0),
          fillOpacity: 0.25,
        }),
        ...[drawn.filter(({ seeds }) => seeds === 1), several].map((lines, many) =>
          Plot.line(lines, {
            ...facets,
            y: "mean",
            z: "variant",
            stroke: colorOf(0),
            strokeWidth: many === 1 ? 2.5 : 1.25,
          })
        ),
        hoverLayer(drawn.map(({ step, mean, low, high, seeds, column, row }) => ({
          x: step,
          column,
          row,
          lines: [
            { text: `Step ${formatCount(step)}` },
            { text: mean.toPrecision(3), color: colorOf(0) },
            ...seeds > 1 ? [{ text: `${low.toPrecision(3)} – ${high.toPrecision(3)}` }] : [],
          ],
        }))),
      ],
    },
  });
}

/** Possible ticks of a logarithmic axis. */
const LOG_TICKS = [-4, -3, -2, -1, 0, 1, 2].flatMap((power) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${power}`))
);

/** A logarithmic axis that extends to the next tick beyond the values on either side. */
function spreadLog(spans: readonly CurveSpan[]): Plot.ScaleOptions {
  const low = Math.min(...spans.map((span) => span.low));
  const high = Math.max(...spans.map((span) => span.high));
  const first = LOG_TICKS.findLast((tick) => tick <= low) ?? low;
  const last = LOG_TICKS.find((tick) => tick >= high) ?? high;
  const ticks = LOG_TICKS.filter((tick) => tick >= first && tick <= last);
  return { type: "log", domain: [first, last], ticks, tickFormat: String };
}

/** Number of panels per row: as many as fit with their names, at most four. */
function chooseColumns(names: readonly string[]): number {
  const widest = Math.max(...names.map(estimateWidth));
  const fitting = [4, 3, 2].find((columns) => WIDTH / columns - GAP >= widest) ?? 1;
  return Math.min(names.length, fitting);
}

/** Explains the lines, depending on the number of seeds. */
function describeLines(
  spans: readonly CurveSpan[],
  { behind }: { readonly behind: string | null },
): string {
  const counts = [...new Set(spans.map(({ seeds }) => seeds))].sort((a, b) => a - b);
  const [fewest = 0] = counts, most = counts.at(-1) ?? 0;
  const range = fewest === most ? `${most}` : `${fewest} to ${most}`;
  const lines = most <= 1
    ? "One seed each."
    : `Line: mean of ${range} seeds; shaded: their range${
      fewest === 1 ? "; thin line: one seed" : ""
    }.`;
  return behind === null ? lines : `${lines} Dashed: ${behind}.`;
}

/** Runs of one variant; values are scores from 0 to 1. */
type VariantDots = {
  readonly variant: string;
  readonly values: readonly number[];
  readonly mean: number;
};

/** Minimum span of the axis in points, so that small differences are not exaggerated. */
const LEAST_SPAN = 2;

/** Axis range in percent: from the lowest to the highest value, at least 2 points wide, within 0 to 100. */
export function spanScores(values: readonly number[]): [number, number] {
  const low = Math.min(...values), high = Math.max(...values);
  const room = Math.max(0, LEAST_SPAN - (high - low)) / 2;
  return [Math.max(0, low - room), Math.min(100, high + room)];
}

/** Scores of every run by variant; `measure` is the name of the score, such as "entity F1". */
export function variantDots(
  variants: readonly VariantDots[],
  { task, measure, reference }: {
    readonly task: string;
    readonly measure: string;
    /** Name of the baseline. */
    readonly reference: string;
  },
): Figure {
  const names = variants.map(({ variant }) => variant);
  const dots = variants.flatMap(({ variant, values }) =>
    values.map((value) => ({ variant, value: 100 * value }))
  );
  const means = variants.map(({ variant, mean }) => ({ variant, mean: 100 * mean }));
  const base = means.find(({ variant }) => variant === reference);
  return frameFigure({
    title: `${task}: ${measure} by variant`,
    subtitle: "Dot: one run (seed); tick: mean; dashed: mean of the baseline.",
    alt: means.map(({ variant, mean }) => `${variant} ${mean.toFixed(2)} %`).join(", ") + ".",
    plot: {
      height: 60 + 34 * variants.length,
      marginLeft: Math.min(280, 24 + Math.max(...names.map(estimateWidth))),
      marginTop: 6,
      marginRight: 56,
      marginBottom: 40,
      x: {
        label: `${measure} (%)`,
        domain: spanScores(dots.map(({ value }) => value)),
        grid: true,
        nice: true,
      },
      y: { label: null, domain: names, tickSize: 0, padding: 0.4 },
      marks: [
        ...(base === undefined ? [] : [
          Plot.ruleX([base.mean], { strokeDasharray: "6,4", strokeOpacity: 0.6 }),
        ]),
        Plot.tickX(means, { x: "mean", y: "variant", stroke: colorOf(1), strokeWidth: 3 }),
        Plot.dot(dots, { x: "value", y: "variant", fill: colorOf(0), fillOpacity: 0.75, r: 4 }),
        Plot.text(means, {
          frameAnchor: "right",
          y: "variant",
          text: ({ mean }: typeof means[number]) => mean.toFixed(1),
          textAnchor: "end",
          dx: 46,
        }),
      ],
    },
  });
}
