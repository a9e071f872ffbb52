/**
 * How far the variants of an experiment are from its reference, paired by seed: a panel a task, a line a
 * variant, with an interval where there is more than one pair.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { Interval } from "@/eval/interval.ts";
import type { Figure } from "./figure.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";

/** A variant on one task; differences are of scores from 0 to 1, one a pair of runs of one seed. */
export type VariantDifference = {
  readonly variant: string;
  readonly task: string;
  readonly differences: readonly number[];
  readonly mean: number;
  readonly interval: Interval | null;
};

/** What the figure says. */
export type DifferenceOptions = { readonly title: string; readonly reference: string };

/** How much wider than the dots the axis may become for the sake of intervals. */
const WIDEST = 3;

/** Draws the differences in points of 100; what lies beyond the axis is cut off. */
export function differenceDots(
  variants: readonly VariantDifference[],
  { title, reference }: DifferenceOptions,
): Figure {
  const names = [...new Set(variants.map(({ variant }) => variant))];
  const tasks = [...new Set(variants.map(({ task }) => task))];
  const lines = variants.map(({ variant, task, differences, mean, interval }) => ({
    variant,
    task,
    mean: 100 * mean,
    low: 100 * (interval?.[0] ?? mean),
    high: 100 * (interval?.[1] ?? mean),
    pairs: differences.length,
  }));
  const dots = variants.flatMap(({ variant, task, differences }) =>
    differences.map((value) => ({ variant, task, value: 100 * value }))
  );
  const reach = Math.max(0.1, ...dots.map(({ value }) => Math.abs(value)));
  const ends = lines.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]);
  const end = 1.08 * Math.min(WIDEST * reach, Math.max(reach, ...ends));
  const format = (points: number) => points.toFixed(2).replace(/^-0\.00$/, "0.00");
  const most = Math.max(...lines.map(({ pairs }) => pairs));
  return frameFigure({
    title,
    subtitle: `Score less that of “${reference}” with the same seed. ${
      most > 1
        ? "Ring: a pair; dot: their mean; whisker: 95 % t interval."
        : "One pair each, which gives no interval."
    }`,
    alt: lines.map(({ variant, task, mean, low, high, pairs }) =>
      `${task}, ${variant}: ${format(mean)} points (${
        pairs > 1 ? `${format(low)} to ${format(high)}, ` : ""
      }n = ${pairs})`
    ).join("; ") + ".",
    plot: {
      height: 76 + 30 * names.length,
      marginLeft: Math.min(280, 24 + Math.max(...names.map(estimateWidth))),
      marginTop: 30,
      marginRight: 50,
      marginBottom: 40,
      x: { label: "Difference (points of 100)", domain: [-end, end], grid: true, ticks: 5 },
      y: { label: null, domain: names, tickSize: 0, padding: 0.4 },
      fx: { label: null, domain: tasks, padding: 0.28 },
      marks: [
        Plot.ruleX([0], { strokeDasharray: "6,4", strokeOpacity: 0.6 }),
        Plot.ruleY(lines, {
          fx: "task",
          y: "variant",
          x1: ({ low }: typeof lines[number]) =>
            Math.max(-end, low),
          x2: ({ high }: typeof lines[number]) => Math.min(end, high),
          stroke: colorOf(0),
          strokeWidth: 2,
        }),
        Plot.dot(dots, { fx: "task", x: "value", y: "variant", stroke: colorOf(0), r: 3 }),
        Plot.dot(lines, { fx: "task", x: "mean", y: "variant", fill: colorOf(1), r: 4.5 }),
        Plot.text(lines, {
          fx: "task",
          y: "variant",
          frameAnchor: "right",
          text: ({ pairs }: typeof lines[number]) => `n = ${pairs}`,
          textAnchor: "end",
          dx: 46,
        }),
      ],
    },
  });
}
