/**
 * Scores of the variants of an experiment: one dot per run and a tick at the mean.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { Figure } from "./figure.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";

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
