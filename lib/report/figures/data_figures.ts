/**
 * Figures of data sets: text lengths, label counts, cost of padding.
 * @module
 */

import * as Plot from "@observablehq/plot";
import { quantile } from "@/statistics.ts";
import type { Figure } from "./figure.ts";
import { formatCount } from "../format.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";

/** Lengths of one group of texts. */
export type LengthGroup = { readonly name: string; readonly lengths: readonly number[] };

/** Histograms of text lengths, one per group; `unit` is the unit of the lengths. */
export function lengthHistograms(
  groups: readonly LengthGroup[],
  { unit }: { readonly unit: string },
): Figure {
  const described = groups.map(({ name, lengths }) => ({
    name,
    middle: Math.round(quantile(lengths, 0.5)),
    high: Math.round(quantile(lengths, 0.95)),
  }));
  const points = groups.flatMap(({ name, lengths }) => lengths.map((length) => ({ name, length })));
  const names = groups.map(({ name }) => name);
  const longest = points.reduce((most, { length }) => Math.max(most, length), 0);
  const width = Math.max(1, Math.ceil(longest / 60)); // bin width; lengths are integers
  return frameFigure({
    title: `Lengths in ${unit}`,
    subtitle: "Solid: median; dashed: 95th percentile.",
    alt: described.map(({ name, middle, high }) =>
      `${name}: median ${middle}, 95th percentile ${high} ${unit}`
    ).join("; ") + ".",
    plot: {
      height: 60 + 120 * groups.length,
      marginLeft: 56,
      marginRight: 30 + Math.max(...names.map(estimateWidth)),
      marginBottom: 40,
      x: { label: `Length (${unit})`, nice: true },
      y: { label: "Texts", grid: true, ticks: 4 },
      fy: { label: null, domain: names },
      marks: [
        Plot.rectY(points, {
          ...Plot.binX({ y: "count" }, { x: "length", interval: width }),
          fy: "name",
          fill: colorOf(0),
        }),
        Plot.ruleX(described, {
          x: ({ middle }: typeof described[number]) =>
            middle + 0.5,
          fy: "name",
          stroke: colorOf(1),
          strokeWidth: 2,
        }),
        Plot.ruleX(described, {
          x: ({ high }: typeof described[number]) => high + 0.5,
          fy: "name",
          stroke: colorOf(1),
          strokeDasharray: "6,4",
        }),
        Plot.ruleY([0]),
      ],
    },
  });
}

/** One bar of {@link countBars}. */
type Count = { readonly name: string; readonly count: number };

/** Horizontal bars of counts, in the given order. */
export function countBars(
  counts: readonly Count[],
  { title, unit }: { readonly title: string; readonly unit: string },
): Figure {
  const names = counts.map(({ name }) => name);
  return frameFigure({
    title,
    alt: counts.map(({ name, count }) => `${name} ${formatCount(count)}`).join(", ") + ".",
    plot: {
      height: 56 + 30 * counts.length,
      marginLeft: 24 + Math.max(...names.map(estimateWidth)),
      marginTop: 6,
      marginRight: 70,
      marginBottom: 40,
      x: { label: unit, grid: true, nice: true },
      y: { label: null, domain: names, padding: 0.25, tickSize: 0 },
      marks: [
        Plot.barX(counts, { x: "count", y: "name", fill: colorOf(0) }),
        Plot.text(counts, {
          x: "count",
          y: "name",
          text: ({ count }: Count) => formatCount(count),
          textAnchor: "start",
          dx: 6,
        }),
        Plot.ruleX([0]),
      ],
    },
  });
}

/** Tokens computed by a batching strategy, without and with padding. */
type PaddingCost = {
  readonly name: string;
  readonly tokens: number;
  readonly paddedTokens: number;
};

const PARTS = ["text", "padding"] as const;

/** Stacked bars of the tokens computed in an epoch by batching strategy: text, and padding on top. */
export function paddingBars(costs: readonly PaddingCost[]): Figure {
  const bars = costs.flatMap(({ name, tokens, paddedTokens }) => [
    { name, part: PARTS[0], count: tokens },
    { name, part: PARTS[1], count: paddedTokens - tokens },
  ]);
  const names = costs.map(({ name }) => name);
  const describe = ({ tokens, paddedTokens }: PaddingCost) =>
    `+${(100 * (paddedTokens / tokens - 1)).toFixed(0)} %`;
  return frameFigure({
    title: "Cost of padding",
    subtitle: "At the end of a bar: additional tokens due to padding.",
    alt: costs.map((cost) => `${cost.name} ${describe(cost)}`).join(", ") + ".",
    legend: PARTS.map((label, index) => ({ label, color: colorOf(index) })),
    plot: {
      height: 56 + 34 * costs.length,
      marginLeft: 24 + Math.max(...names.map(estimateWidth)),
      marginTop: 6,
      marginRight: 70,
      marginBottom: 40,
      x: { label: "Tokens per epoch", grid: true, nice: true },
      y: { label: null, domain: names, padding: 0.25, tickSize: 0 },
      color: { type: "categorical", domain: PARTS, range: PARTS.map((_, i) => colorOf(i)) },
      marks: [
        Plot.barX(bars, Plot.stackX({ x: "count", y: "name", fill: "part", order: [...PARTS] })),
        Plot.text(costs, {
          x: "paddedTokens",
          y: "name",
          text: describe,
          textAnchor: "start",
          dx: 6,
        }),
        Plot.ruleX([0]),
      ],
    },
  });
}
