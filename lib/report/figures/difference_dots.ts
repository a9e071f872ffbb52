/**
 * Paired differences of the variants of an experiment from the baseline: one panel per task and one line per
 * variant, with an interval if there is more than one pair. Each task has its own scale, since differences on
 * one task may be many times larger than on the other.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { Interval } from "@/statistics.ts";
import type { Figure } from "./figure.ts";
import { formatPoints } from "../format.ts";
import { colorOf, estimateWidth, frameFigure, PLOT_WIDTH } from "./frame.ts";

/** Differences of a variant on one task, one per pair of runs with the same seed; scores are from 0 to 1. */
type VariantDifference = {
  readonly variant: string;
  readonly task: string;
  /** Name of the score, such as "entity F1". */
  readonly measure: string;
  readonly differences: readonly number[];
  readonly mean: number;
  readonly interval: Interval | null;
};

/** Texts of the figure; `split` is the split that was scored. */
type DifferenceOptions = {
  readonly title: string;
  readonly reference: string;
  readonly split: string;
};

/** Maximum ratio of the axis length to the range of the dots, for intervals that extend beyond the dots. */
const WIDEST = 3;
/** Minimum extent of the axis in points, so that differences of a few rows are not exaggerated. */
const LEAST_REACH = 0.25;
/** Space to the right of a panel for its means, and between panels. */
const MEANS = 104, GAP = 12;

/** Draws the differences in points. An arrow marks an interval that extends beyond the axis. */
export function differenceDots(
  variants: readonly VariantDifference[],
  { title, reference, split }: DifferenceOptions,
): Figure {
  const names = [...new Set(variants.map(({ variant }) => variant))];
  const tasks = [...new Set(variants.map(({ task }) => task))];
  const lines = variants.map(({ variant, task, measure, differences, mean, interval }) => ({
    variant,
    task,
    measure,
    dots: differences.map((value) => ({ variant, value: 100 * value })),
    mean: 100 * mean,
    label: `${formatPoints(mean)}, n = ${differences.length}`,
    low: 100 * (interval?.[0] ?? mean),
    high: 100 * (interval?.[1] ?? mean),
  }));
  const most = Math.max(...variants.map(({ differences }) => differences.length));
  const nameWidth = Math.min(280, 24 + Math.max(...names.map(estimateWidth)));
  const width = (PLOT_WIDTH - nameWidth - GAP * (tasks.length - 1)) / tasks.length;
  return frameFigure({
    title,
    subtitle: `On ${split}, difference from “${reference}” with the same seed. ${
      most > 1
        ? "Ring: one pair; dot: mean; line: 95 % t interval."
        : "One pair each, so there is no interval."
    }`,
    alt: variants.map(({ variant, task, mean, interval, differences }) =>
      `${task}, ${variant}: ${formatPoints(mean)} points (${
        interval === null ? "" : `${interval.map(formatPoints).join(" to ")}, `
      }n = ${differences.length})`
    ).join("; ") + ".",
    plot: tasks.map((task, i) => {
      const marginLeft = i === 0 ? nameWidth : GAP;
      return drawTask(
        lines.filter((line) =>
          line.task === task
        ),
        {
          ...{ names, named: i === 0, marginLeft, width: marginLeft + width },
        },
      );
    }),
  });
}

/** One variant in the panel of a task, in points. */
type Line = {
  readonly variant: string;
  readonly task: string;
  readonly measure: string;
  readonly dots: readonly { readonly variant: string; readonly value: number }[];
  readonly mean: number;
  /** Mean and number of pairs as text. */
  readonly label: string;
  readonly low: number;
  readonly high: number;
};

/** Draws the panel of one task. */
function drawTask(
  lines: readonly Line[],
  { names, named, marginLeft, width }: {
    readonly names: readonly string[];
    readonly named: boolean;
    readonly marginLeft: number;
    readonly width: number;
  },
): Plot.PlotOptions {
  const dots = lines.flatMap(({ dots }) => dots);
  const reach = Math.max(LEAST_REACH, ...dots.map(({ value }) => Math.abs(value)));
  const ends = lines.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]);
  const end = Math.min(100, 1.08 * Math.min(WIDEST * reach, Math.max(reach, ...ends)));
  const heading = `${lines[0]?.task}: ${lines[0]?.measure}`;
  const arrow = (toward: 1 | -1) =>
    Plot.dot(lines.filter(({ low, high }) => toward * (toward > 0 ? high : low) > end), {
      ...{ x: toward * end, y: "variant", symbol: "triangle", rotate: 90 * toward },
      ...{ fill: colorOf(0), r: 3.5 },
    });
  return {
    ...{ width, marginLeft, marginRight: MEANS, marginTop: 30, marginBottom: 40 },
    height: 76 + 30 * names.length,
    x: { label: "Difference (points)", domain: [-end, end], grid: true, ticks: 3 },
    y: { label: null, domain: names, tickSize: 0, padding: 0.4, ...!named && { axis: null } },
    marks: [
      Plot.text([heading], { frameAnchor: "top", dy: -22 }),
      Plot.ruleX([0], { strokeDasharray: "6,4", strokeOpacity: 0.6 }),
      Plot.ruleY(lines, {
        y: "variant",
        x1: ({ low }: Line) => Math.max(-end, low),
        x2: ({ high }: Line) => Math.min(end, high),
        stroke: colorOf(0),
        strokeWidth: 2,
      }),
      arrow(-1),
      arrow(1),
      Plot.dot(dots, { x: "value", y: "variant", stroke: colorOf(0), r: 3 }),
      Plot.dot(lines, { x: "mean", y: "variant", fill: colorOf(1), r: 4.5 }),
      Plot.text(lines, {
        y: "variant",
        frameAnchor: "right",
        text: "label",
        textAnchor: "end",
        dx: MEANS - 4,
      }),
    ],
  };
}
