/**
 * Dots with confidence intervals as whiskers, by name and group.
 * @module
 */

import * as Plot from "@observablehq/plot";
import type { Interval } from "@/statistics.ts";
import type { Figure } from "./figure.ts";
import { colorOf, estimateWidth, frameFigure } from "./frame.ts";

/** One dot: its name, group, value and, if known, interval. */
export type ScoreDot = {
  readonly name: string;
  /** Dots of a group share a color and a legend entry. */
  readonly group: string;
  readonly value: number;
  readonly interval?: Interval | undefined;
};

/** Texts and format of a figure. */
type DotOptions = {
  readonly title: string;
  /** Explains the dots and whiskers: rows, seeds, kind of interval. */
  readonly subtitle: string;
  /** Label of the x axis, with its unit. */
  readonly x: string;
  /** Factor applied to values; 100 by default, for percent. */
  readonly scale?: number;
  /** Decimals of the values; 1 by default. */
  readonly digits?: number;
};

/** Draws one line per name with one dot per group, and the values beside them. */
export function intervalDots(dots: readonly ScoreDot[], options: DotOptions): Figure {
  const { title, subtitle, x, scale = 100, digits = 1 } = options;
  const names = [...new Set(dots.map(({ name }) => name))];
  const groups = [...new Set(dots.map(({ group }) => group))];
  const points = dots.map(({ name, group, value, interval: [low, high] = [value, value] }) => ({
    name,
    group,
    value: scale * value,
    low: scale * low,
    high: scale * high,
  }));
  type Point = typeof points[number];
  const lowest = Math.min(...points.map(({ low }) => low));
  const highest = Math.max(...points.map(({ high }) => high));
  const room = 0.06 * (highest - lowest || 1);
  return frameFigure({
    title,
    subtitle,
    alt: points.map(({ name, group, value, low, high }) =>
      `${groups.length > 1 ? `${name}, ${group}` : name}: ${value.toFixed(digits)}` +
      (low < high ? ` (${low.toFixed(digits)} to ${high.toFixed(digits)})` : "")
    ).join("; ") + ".",
    legend: groups.length > 1
      ? groups.map((label, index) => ({ label, color: colorOf(index) }))
      : [],
    plot: {
      height: 56 + (14 + 20 * groups.length) * names.length,
      marginLeft: Math.min(240, 24 + Math.max(...names.map(estimateWidth))),
      marginTop: 6,
      marginRight: 70,
      marginBottom: 40,
      x: { label: x, domain: [lowest - room, highest + room], grid: true, ticks: 6 },
      y: { axis: null, domain: groups, padding: 0.3 },
      fy: { label: null, domain: names, axis: "left", padding: 0.1 },
      color: {
        type: "categorical",
        domain: groups,
        range: groups.map((_, i) =>
          colorOf(i)
        ),
      },
      marks: [
        Plot.ruleY(points, {
          x1: "low",
          x2: "high",
          y: "group",
          fy: "name",
          stroke: "group",
          strokeWidth: 2,
        }),
        Plot.dot(points, { x: "value", y: "group", fy: "name", fill: "group", r: 5 }),
        Plot.text(points, {
          frameAnchor: "right",
          y: "group",
          fy: "name",
          text: ({ value }: Point) => value.toFixed(digits),
          textAnchor: "end",
          dx: 58,
        }),
      ],
    },
  });
}
